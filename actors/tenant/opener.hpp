// The opener: tries until a tenant's stores, which were away when the server began, are open.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/metrics.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <functional>

namespace segue {

struct opener_options {
  std::string tenant;
  std::function<void()> open; ///< may block; throws while it cannot be done, and goes on where it was when it is called again
  std::chrono::milliseconds pause{1'000}; ///< before each try
};

class opener_state {
public:
  static inline const char* name = "opener";

  explicit opener_state(opener_actor::pointer self) : self_(self) {}
  ~opener_state();

  void begin(opener_options options, metrics& m);

  void on(const reach_stores&);

private:
  opener_actor::pointer self_;
  opener_options options_;
  metrics* metrics_ = nullptr;
  std::string told_; ///< why it could not be done the last time
};

/// Begins to try; ends when it is done. What it calls blocks: it wants a thread of its own.
opener_actor::behavior_type opener(opener_actor::stateful_pointer<opener_state> self, opener_options options, metrics* m);

} // namespace segue
