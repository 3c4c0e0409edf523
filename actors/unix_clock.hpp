// The wall clock for actors that compare times with rows.
#pragma once

#include "actors/ids.hpp"

#include <caf/actor_clock.hpp>

#include <chrono>

namespace segue {

/// Milliseconds since 1970, as `clock` goes by: in a process that is the wall clock, in tests time is virtual. Small steps of the
/// wall clock are ignored, so that what was due at once is due a moment later as well.
inline int64_t unix_now_ms(const caf::actor_clock& clock) {
  using std::chrono::milliseconds;
  auto ms = [](auto x) { return std::chrono::duration_cast<milliseconds>(x.time_since_epoch()).count(); };
  auto ahead = [ms] { return unix_now_ms() - ms(caf::actor_clock::clock_type::now()); };
  static const int64_t began = ahead();
  auto step = ahead() - began;
  bool small = step > -1'000 && step < 1'000;
  return began + (small ? 0 : step) + ms(clock.now());
}

} // namespace segue
