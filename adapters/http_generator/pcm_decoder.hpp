// Plain samples.
#pragma once

#include "adapters/http_generator/decoder.hpp"

namespace segue::http_generator {

struct pcm_format {
  enum class kind { s16_little, s16_big, f32_little } samples = kind::s16_little;
  uint32_t rate = 0;
  uint32_t channels = 0;

  size_t frame_bytes() const { return channels * (samples == kind::f32_little ? 4 : 2); }
};

class pcm_decoder final : public decoder {
public:
  explicit pcm_decoder(pcm_format format);

  void decode(std::string_view bytes, std::vector<float>& out) override;
  uint32_t rate() const override { return format_.rate; }

private:
  float sample(const char* at) const;

  pcm_format format_;
  std::string partial_; ///< a sample frame that is not whole yet
};

} // namespace segue::http_generator
