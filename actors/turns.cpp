#include "actors/turns.hpp"

#include <caf/actor_system.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

namespace segue {

namespace {

constexpr size_t messages = 20; ///< of one actor in a row

} // namespace

void take_turn(caf::execution_unit& here, caf::resumable* woken) {
  if (woken->resume(&here, messages) == caf::resumable::resume_later)
    here.system().scheduler().enqueue(woken);
  else
    caf::intrusive_ptr_release(woken);
}

void few_turns::exec_later(caf::resumable* woken) {
  if (woken_.size() < most)
    woken_.push_back(woken);
  else
    system().scheduler().enqueue(woken);
}

void few_turns::run() {
  for (size_t i = 0; i < woken_.size(); ++i)
    take_turn(*this, woken_[i]);
  woken_.clear();
}

} // namespace segue
