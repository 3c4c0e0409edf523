// The wall clock for actors that compare times with rows.
#pragma once

#include "actors/ids.hpp"

#include <caf/actor_clock.hpp>

#include <chrono>

namespace segue {

/// Milliseconds since 1970, as `clock` goes by: in a process that is the wall clock, in tests time is virtual.
inline int64_t unix_now_ms(const caf::actor_clock& clock) {
  auto ahead = clock.now() - caf::actor_clock::clock_type::now();
  return unix_now_ms() + std::chrono::duration_cast<std::chrono::milliseconds>(ahead).count();
}

} // namespace segue
