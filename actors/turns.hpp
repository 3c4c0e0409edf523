// Actors that run on the thread that wakes them: they take microseconds, and waking another thread costs more.
#pragma once

#include <caf/execution_unit.hpp>
#include <caf/fwd.hpp>

#include <vector>

namespace segue {

/// Lets a woken actor work on a few of its messages, on this thread. One with more to do goes to the scheduler.
void take_turn(caf::execution_unit& here, caf::resumable* woken);

/// For a thread that answers many actors at a time: they take their turn on it, and the scheduler runs those beyond `most`
/// meanwhile.
class few_turns final : public caf::execution_unit {
public:
  static constexpr size_t most = 128;

  explicit few_turns(caf::actor_system& system) : caf::execution_unit(&system) {}

  void exec_later(caf::resumable* woken) override;

  /// Gives everyone their turn, also those whom these wake.
  void run();

private:
  std::vector<caf::resumable*> woken_;
};

} // namespace segue
