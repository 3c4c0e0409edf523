#include "http/io_unit.hpp"

#include "actors/turns.hpp"

#include <boost/asio/post.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <utility>

namespace segue::http {

io_unit::io_unit(caf::actor_system& system, asio::io_context& io)
    : caf::execution_unit(&system), io_(io), letters_(std::make_shared<inbox>(io, [this] { run(); })) {}

/// Who waits to go on may hold sockets, which go before `io`.
void io_unit::close() {
  letters_->close();
  while (!ready_.empty())
    std::exchange(ready_, {}).clear();
}

void io_unit::hand_over::operator()(caf::resumable* woken) const { system->scheduler().enqueue(woken); }

void io_unit::exec_later(caf::resumable* woken) {
  if (!io_.get_executor().running_in_this_thread()) {
    system().scheduler().enqueue(woken);
    return;
  }
  woken_.emplace_back(woken, hand_over{&system()});
  letters_->wake();
}

void io_unit::go_on_later(std::function<void()> go_on) {
  ready_.push_back(std::move(go_on));
  letters_->wake();
}

/// Everything that there is, and what comes of it, in one turn of the loop.
void io_unit::run() {
  size_t turns = 0;
  while (turns < most) {
    auto done = run_letters() + run_ready() + run_woken();
    turns += done;
    if (done == 0 && letters_->rest())
      return;
  }
  asio::post(io_, [this] { run(); });
}

/// What was asked of others is answered.
size_t io_unit::run_letters() {
  auto letters = letters_->take();
  for (auto& x : letters)
    static_cast<io_actor*>(caf::actor_cast<caf::abstract_actor*>(x.to))->handle(*x.message, *this);
  return letters.size();
}

size_t io_unit::run_ready() {
  size_t done = 0;
  for (; !ready_.empty(); ++done) {
    auto next = std::move(ready_.front());
    ready_.pop_front();
    next();
  }
  return done;
}

size_t io_unit::run_woken() {
  if (woken_.empty())
    return 0;
  auto next = std::move(woken_.front());
  woken_.pop_front();
  take_turn(*this, next.release());
  return 1;
}

// -- actors that live here -----------------------------------------------------------------------------------------------

void io_actor::enqueue(caf::mailbox_element_ptr message, caf::execution_unit*) {
  letters_->add({caf::strong_actor_ptr{ctrl()}, std::move(message)});
}

void io_actor::handle(caf::mailbox_element& message, io_unit& on) {
  if (!closed_)
    activate(&on, message);
}

/// Without a behaviour an actor ends as soon as it waits for nothing; this one waits for sockets, too.
caf::behavior io_actor::make_behavior() {
  return {[](caf::unit_t) {}};
}

void io_actor::close() {
  closed_ = true;
  awaited_responses_.clear();
  multiplexed_responses_.clear();
  // It has no timers and nothing in CAF's mailbox: looking for them would wake the clock's thread for each request.
  caf::monitorable_actor::cleanup(caf::exit_reason::user_shutdown, home_system().dummy_execution_unit());
}

} // namespace segue::http
