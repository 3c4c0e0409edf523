#include "http/io_unit.hpp"

#include "actors/turns.hpp"

#include <boost/asio/post.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <memory>

namespace segue::http {

namespace {

/// What a thread that stops leaves behind is run by the scheduler.
struct hand_over {
  caf::actor_system& system;
  void operator()(caf::resumable* woken) const { system.scheduler().enqueue(woken); }
};

} // namespace

void io_unit::exec_later(caf::resumable* woken) {
  asio::post(io_, [this, woken = std::unique_ptr<caf::resumable, hand_over>{woken, {system()}}]() mutable {
    take_turn(*this, woken.release());
  });
}

} // namespace segue::http
