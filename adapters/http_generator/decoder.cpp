#include "adapters/http_generator/decoder.hpp"

#include "adapters/http_generator/mp3_decoder.hpp"
#include "adapters/http_generator/pcm_decoder.hpp"
#include "adapters/http_generator/wav_decoder.hpp"
#include "actors/utf8.hpp"
#include "adapters/ports.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace segue::http_generator {

const char* const allowed_types = "audio/mpeg, audio/wav (16-bit PCM or 32-bit float), audio/L16;rate=R;channels=C "
                                  "(big-endian) and audio/pcm;rate=R;channels=C (16 bit, little-endian)";

namespace {

std::string trimmed(std::string_view text) {
  auto first = text.find_first_not_of(" \t\"");
  return first == std::string_view::npos ? std::string{} : std::string{text.substr(first, text.find_last_not_of(" \t\"") - first + 1)};
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return text;
}

/// A media type: its name, and its parameters by name.
struct media_type {
  std::string name;
  std::map<std::string, std::string> parameters;
};

media_type read_type(std::string_view text) {
  auto end = text.find(';');
  media_type type{lower(trimmed(text.substr(0, end))), {}};
  while (end != std::string_view::npos) {
    text.remove_prefix(end + 1);
    end = text.find(';');
    auto parameter = text.substr(0, end);
    auto equals = parameter.find('=');
    if (equals != std::string_view::npos)
      type.parameters[lower(trimmed(parameter.substr(0, equals)))] = trimmed(parameter.substr(equals + 1));
  }
  return type;
}

/// 0: it is missing or no number.
uint32_t number_of(const media_type& type, const char* name, uint32_t standard) {
  auto at = type.parameters.find(name);
  if (at == type.parameters.end())
    return standard;
  uint32_t value = 0;
  auto end = at->second.data() + at->second.size();
  return std::from_chars(at->second.data(), end, value).ptr == end ? value : 0;
}

} // namespace

std::unique_ptr<decoder> make_decoder(std::string_view content_type) {
  auto type = read_type(content_type);
  if (type.name == "audio/mpeg")
    return std::make_unique<mp3_decoder>();
  if (type.name == "audio/wav" || type.name == "audio/x-wav")
    return std::make_unique<wav_decoder>();
  if (type.name == "audio/l16" || type.name == "audio/pcm") {
    auto kind = type.name == "audio/l16" ? pcm_format::kind::s16_big : pcm_format::kind::s16_little;
    return std::make_unique<pcm_decoder>(
        pcm_format{kind, number_of(type, "rate", 0), number_of(type, "channels", 1)});
  }
  throw adapter_error{ec::invalid_argument, "the model's Content-Type is \"" + valid_utf8(content_type) + "\"; allowed are " + allowed_types};
}

void insist_on_format(uint64_t rate, uint64_t channels) {
  if (rate < lowest_rate || rate > highest_rate)
    throw adapter_error{ec::invalid_argument, "the model's sample rate is " + std::to_string(rate) + "; allowed are 8,000 to 192,000"};
  if (channels != 1 && channels != 2)
    throw adapter_error{ec::invalid_argument, "the model's sound has " + std::to_string(channels) + " channels; allowed are 1 and 2"};
}

} // namespace segue::http_generator
