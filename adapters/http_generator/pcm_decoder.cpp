#include "adapters/http_generator/pcm_decoder.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace segue::http_generator {

namespace {

uint32_t byte_at(const char* at) { return static_cast<unsigned char>(*at); }

} // namespace

pcm_decoder::pcm_decoder(pcm_format format) : format_(format) { insist_on_format(format.rate, format.channels); }

float pcm_decoder::sample(const char* at) const {
  using kind = pcm_format::kind;
  if (format_.samples == kind::f32_little) {
    auto value = std::bit_cast<float>(byte_at(at) | byte_at(at + 1) << 8 | byte_at(at + 2) << 16 | byte_at(at + 3) << 24);
    return std::isfinite(value) ? std::clamp(value, -4.0f, 4.0f) : 0; // one bad number would stay in the resampler
  }
  auto bits = format_.samples == kind::s16_big ? byte_at(at) << 8 | byte_at(at + 1) : byte_at(at) | byte_at(at + 1) << 8;
  return static_cast<float>(static_cast<int16_t>(bits)) / 32'768;
}

void pcm_decoder::decode(std::string_view bytes, std::vector<float>& out) {
  partial_ += bytes;
  auto frame = format_.frame_bytes();
  auto whole = partial_.size() / frame * frame;
  for (size_t at = 0; at < whole; at += frame) {
    auto left = sample(&partial_[at]);
    out.push_back(left);
    out.push_back(format_.channels == 1 ? left : sample(&partial_[at + frame / 2]));
  }
  partial_.erase(0, whole);
}

} // namespace segue::http_generator
