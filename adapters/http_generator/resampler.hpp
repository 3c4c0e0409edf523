// From any sample rate to the one of the log.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

struct SRC_STATE_tag;

namespace segue::http_generator {

/// Band-limited, by libsamplerate, without delay: the first sample out lies where the first sample in does. At the rate
/// of the log nothing is changed, 16-bit samples come out as they went in.
class resampler {
public:
  /// From `rate` sample frames a second to `segue::sample_rate`.
  explicit resampler(uint32_t rate);

  /// Takes interleaved stereo, 1.0 being full scale, and appends what is ready as 16 bit. `last`: no more follows, and
  /// everything is ready.
  void convert(std::span<const float> in, bool last, std::vector<int16_t>& out);

private:
  struct closer {
    void operator()(SRC_STATE_tag* x) const;
  };

  double ratio_;
  std::unique_ptr<SRC_STATE_tag, closer> state_; ///< null: it is that rate already
};

} // namespace segue::http_generator
