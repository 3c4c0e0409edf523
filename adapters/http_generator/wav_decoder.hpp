// WAV as it is streamed: a header whose sizes may be unknown, then samples.
#pragma once

#include "adapters/http_generator/pcm_decoder.hpp"

#include <optional>

namespace segue::http_generator {

/// A RIFF WAVE file of 16-bit PCM or 32-bit float. A size of 0, or of nearly 2 GiB and more, says nothing: what is
/// streamed is given such sizes, and ends with the body. Chunks other than `fmt ` and `data` are passed over.
class wav_decoder final : public decoder {
public:
  void decode(std::string_view bytes, std::vector<float>& out) override;
  uint32_t rate() const override { return samples_ ? samples_->rate() : 0; }

private:
  enum class part { riff, chunk, format, ignored, data };

  void begin_chunk(std::string_view header);
  void read_format(std::string_view body);
  void end_samples();

  part next_ = part::riff;
  std::string header_;                 ///< bytes of the part that is not whole yet
  uint64_t left_ = 12;                 ///< bytes of the part that have not come yet
  std::optional<pcm_decoder> samples_; ///< from the `fmt ` chunk on
};

} // namespace segue::http_generator
