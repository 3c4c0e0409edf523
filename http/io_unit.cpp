#include "http/io_unit.hpp"

#include "actors/turns.hpp"

#include <boost/asio/post.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <utility>

namespace segue::http {

void io_unit::hand_over::operator()(caf::resumable* woken) const { system->scheduler().enqueue(woken); }

void io_unit::exec_later(caf::resumable* woken) {
  if (!io_.get_executor().running_in_this_thread()) {
    system().scheduler().enqueue(woken);
    return;
  }
  woken_.emplace_back(woken, hand_over{&system()});
  if (!std::exchange(posted_, true))
    run_later();
}

void io_unit::run_later() {
  asio::post(io_, [this] { run(); });
}

void io_unit::run() {
  for (size_t i = 0; i < most && !woken_.empty(); ++i) {
    auto next = std::move(woken_.front());
    woken_.pop_front();
    take_turn(*this, next.release());
  }
  posted_ = !woken_.empty();
  if (posted_)
    run_later();
}

} // namespace segue::http
