// Keeps peaks under full scale without being heard.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace segue::fluidsynth {

inline constexpr size_t block_frames = 64;

/// A block of rendered sound.
struct sound_block {
  std::array<float, block_frames> left{}, right{};
  float peak() const {
    float result = 0;
    for (size_t i = 0; i < block_frames; ++i)
      result = std::max({result, left[i], -left[i], right[i], -right[i]});
    return result;
  }
};

/// A look-ahead limiter: sees the next blocks and turns down in time, then lets go slowly.
class limiter {
public:
  static constexpr size_t ahead = 5; ///< blocks that have to be known before one comes out

  /// The gain at the end of the first of `ahead` coming blocks; within the block it moves in a straight line.
  float next(const std::array<sound_block, ahead>& coming) {
    auto gain = std::min(1.0f, gain_ + release);
    for (size_t i = 0; i < ahead; ++i) {
      auto peak = coming[i].peak();
      auto needed = peak > ceiling ? ceiling / peak : 1.0f;
      auto patience = i < 2 ? 0.0f : static_cast<float>(i - 1) / (ahead - 1); // farther peaks can wait a little
      gain = std::min(gain, needed + std::max(0.0f, gain_ - needed) * patience);
    }
    return gain_ = gain;
  }

private:
  static constexpr float ceiling = 0.9f;                     // -0.9 dBFS
  static constexpr float release = block_frames / 24'000.0f; // half a second from silence to full gain
  float gain_ = 1;
};

} // namespace segue::fluidsynth
