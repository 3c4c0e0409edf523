// Whether a generation is tried once more, and when. A plain class: the generation actor does the waiting.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

namespace segue {

struct attempt_limits {
  size_t fruitless = 5;                      ///< consecutive attempts that added no sound; with the last one it is over
  std::chrono::milliseconds pause{500};      ///< before the next attempt, doubled by each one that adds no sound …
  std::chrono::milliseconds longest{30'000}; ///< … up to here
};

/// Counts the attempts of one generation. An attempt that added sound sets everything back: what moves is never given up.
class attempts {
public:
  /// `seed` of the jitter, which keeps generations that broke off together from coming back together.
  explicit attempts(attempt_limits limits = {}, uint64_t seed = 0)
      : limits_(limits), pause_(limits.pause), dice_(seed) {}

  /// The attempt broke off. How long to wait before the next one, between a half and the whole of the pause that is due;
  /// nothing: there shall be none.
  std::optional<std::chrono::milliseconds> broke_off(bool added_sound) {
    if (added_sound) {
      fruitless_ = 0;
      pause_ = limits_.pause;
    } else if (++fruitless_ >= limits_.fruitless) {
      return std::nullopt;
    }
    auto whole = pause_.count();
    pause_ = std::min(pause_ * 2, limits_.longest);
    return std::chrono::milliseconds{std::uniform_int_distribution{whole - whole / 2, whole}(dice_)};
  }

  /// Attempts since the last one that added sound.
  size_t fruitless() const { return fruitless_; }

private:
  attempt_limits limits_;
  std::chrono::milliseconds pause_;
  size_t fruitless_ = 0;
  std::mt19937_64 dice_;
};

} // namespace segue
