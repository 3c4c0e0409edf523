#include "adapters/http_generator/resampler.hpp"

#include "adapters/ports.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <samplerate.h>

namespace segue::http_generator {

namespace {

constexpr float nothing = 0;

int16_t to_16_bit(float x) { return static_cast<int16_t>(std::clamp(std::lrint(x * 32'768), -32'768l, 32'767l)); }

} // namespace

void resampler::closer::operator()(SRC_STATE_tag* x) const { src_delete(x); }

resampler::resampler(uint32_t rate) : ratio_(static_cast<double>(sample_rate) / rate) {
  if (rate == sample_rate)
    return;
  int error = 0;
  state_.reset(src_new(SRC_SINC_MEDIUM_QUALITY, channels, &error));
  if (!state_)
    throw std::runtime_error{std::string{"libsamplerate could not be set up: "} + src_strerror(error)};
}

void resampler::convert(std::span<const float> in, bool last, std::vector<int16_t>& out) {
  if (!state_) {
    std::transform(in.begin(), in.end(), std::back_inserter(out), to_16_bit);
    return;
  }
  std::array<float, channels * 1'024> block;
  SRC_DATA data{};
  data.data_in = in.empty() ? &nothing : in.data(); // a null pointer would keep it from ending
  data.input_frames = static_cast<long>(in.size() / channels);
  data.data_out = block.data();
  data.output_frames = block.size() / channels;
  data.src_ratio = ratio_;
  data.end_of_input = last;
  do {
    if (auto error = src_process(state_.get(), &data))
      throw std::runtime_error{std::string{"libsamplerate failed: "} + src_strerror(error)};
    std::transform(block.begin(), block.begin() + data.output_frames_gen * channels, std::back_inserter(out), to_16_bit);
    data.data_in += data.input_frames_used * channels;
    data.input_frames -= data.input_frames_used;
  } while (data.input_frames > 0 || data.output_frames_gen > 0);
}

} // namespace segue::http_generator
