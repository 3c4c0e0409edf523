// Seeded chance. The standard distributions differ between libraries, so every mapping from bits to a choice is here.
#pragma once

#include <cstdint>
#include <random>
#include <string_view>

namespace segue::fluidsynth {

/// FNV-1a: a stable hash for words.
constexpr uint64_t hash_of(std::string_view x, uint64_t h = 14695981039346656037ull) {
  for (unsigned char c : x)
    h = (h ^ c) * 1099511628211ull;
  return h;
}

/// A source of choices. Each part of a piece has its own, named one: a change in the drums leaves the melody alone.
class dice {
public:
  explicit dice(uint64_t seed) : engine_(seed) {}

  dice(uint64_t seed, std::string_view name, uint64_t n = 0)
    : engine_(hash_of(name, seed ^ 14695981039346656037ull) + n * 0x9e3779b97f4a7c15ull) {}

  /// A number in [0, n); n > 0.
  int below(int n) { return static_cast<int>((engine_() >> 32) * static_cast<uint64_t>(n) >> 32); }

  /// A number in [lo, hi].
  int between(int lo, int hi) { return lo + below(hi - lo + 1); }

  /// True in `percent` of 100 cases.
  bool chance(int percent) { return below(100) < percent; }

  /// A number in [-reach, reach], small ones more often.
  int around(int reach) { return reach <= 0 ? 0 : (between(-reach, reach) + between(-reach, reach)) / 2; }

  /// One element of something not empty.
  template <class T>
  const auto& pick(const T& from) {
    return from[static_cast<size_t>(below(static_cast<int>(from.size())))];
  }

private:
  std::mt19937_64 engine_;
};

} // namespace segue::fluidsynth
