#include "adapters/http_generator/wav_decoder.hpp"

#include "adapters/ports.hpp"

#include <algorithm>
#include <utility>

namespace segue::http_generator {

namespace {

constexpr uint64_t chunk_header = 8;
constexpr uint64_t largest_format = 1'024;
constexpr uint64_t unknown_from = 0x7fff'0000; ///< sizes of data that nobody means
constexpr uint64_t endless = UINT64_MAX;

constexpr uint32_t tag_pcm = 1;
constexpr uint32_t tag_float = 3;
constexpr uint32_t tag_extensible = 0xfffe; ///< the tag proper stands further back

[[noreturn]] void refuse(const std::string& what) {
  throw adapter_error{ec::invalid_argument, "the model's WAV cannot be read: " + what};
}

uint32_t number_at(std::string_view bytes, size_t at, size_t size) {
  uint32_t value = 0;
  for (size_t i = 0; i < size; ++i)
    value |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  return value;
}

/// Chunks begin at even places.
uint64_t padded(uint64_t size) { return size + size % 2; }

} // namespace

void wav_decoder::decode(std::string_view bytes, std::vector<float>& out) {
  while (!bytes.empty()) {
    auto taken = bytes.substr(0, std::min<uint64_t>(left_, bytes.size()));
    bytes.remove_prefix(taken.size());
    left_ -= left_ == endless ? 0 : taken.size();
    if (next_ == part::data)
      samples_->decode(taken, out);
    else if (next_ != part::ignored)
      header_ += taken;
    if (left_ > 0)
      continue;
    auto whole = std::exchange(header_, {});
    auto ended = std::exchange(next_, part::chunk);
    left_ = chunk_header;
    if (ended == part::riff && (!whole.starts_with("RIFF") || !whole.ends_with("WAVE")))
      refuse("it does not begin with RIFF and WAVE");
    else if (ended == part::chunk)
      begin_chunk(whole);
    else if (ended == part::format)
      read_format(whole);
    else if (ended == part::data)
      end_samples();
  }
}

/// Whatever follows the samples is none.
void wav_decoder::end_samples() {
  next_ = part::ignored;
  left_ = endless;
}

void wav_decoder::begin_chunk(std::string_view header) {
  auto size = uint64_t{number_at(header, 4, 4)};
  if (header.starts_with("fmt ")) {
    if (size < 16 || size > largest_format)
      refuse("its format chunk has " + std::to_string(size) + " bytes");
    next_ = part::format;
    left_ = padded(size);
  } else if (header.starts_with("data")) {
    if (!samples_)
      refuse("its samples come before their format");
    next_ = part::data;
    left_ = size == 0 || size >= unknown_from ? endless : size;
  } else if (size > 0) {
    next_ = part::ignored;
    left_ = padded(size);
  }
}

void wav_decoder::read_format(std::string_view body) {
  auto tag = number_at(body, 0, 2);
  auto bits = number_at(body, 14, 2);
  if (tag == tag_extensible && body.size() >= 26)
    tag = number_at(body, 24, 2);
  pcm_format format{pcm_format::kind::s16_little, number_at(body, 4, 4), number_at(body, 2, 2)};
  if (tag == tag_float && bits == 32)
    format.samples = pcm_format::kind::f32_little;
  else if (tag != tag_pcm || bits != 16)
    refuse("it has " + std::to_string(bits) + "-bit samples of kind " + std::to_string(tag)
        + "; allowed are 16-bit PCM (kind 1) and 32-bit float (kind 3)");
  samples_.emplace(format);
}

} // namespace segue::http_generator
