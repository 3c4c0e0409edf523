// An actor that does not outlive another one.
#pragma once

#include <caf/scheduled_actor.hpp>

namespace segue {

/// Part of the state of an actor that ends with another one, for the same reason. What watches an actor stays with that one, and
/// keeps the memory of who watches: it must be taken away by who lives shorter, and is, with this.
class bond {
public:
  explicit bond(caf::scheduled_actor* self) : self_(self) {}
  ~bond() { self_->demonitor(other_); }
  bond(const bond&) = delete;
  bond& operator=(const bond&) = delete;

  /// Once at the most. The actor watches nobody else.
  template <class Handle>
  void tie(const Handle& other) {
    other_ = other.address();
    self_->set_down_handler([self = self_](const caf::down_msg& x) { self->quit(x.reason); });
    self_->monitor(other);
  }

private:
  caf::scheduled_actor* self_;
  caf::actor_addr other_;
};

} // namespace segue
