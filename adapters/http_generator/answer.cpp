#include "adapters/http_generator/answer.hpp"

#include "actors/utf8.hpp"
#include "adapters/ports.hpp"

#include <algorithm>
#include <charconv>

namespace segue::http_generator {

namespace {

constexpr size_t longest_quote = 200; ///< characters
constexpr uint64_t day_ms = 86'400'000;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && !is_space(c)) || c == 0x7f; }

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

} // namespace

bool may_pass(long status) { return status >= 500 || status == 408 || status == 429; }

uint64_t read_ms(const char* header, const std::optional<std::string>& value) {
  if (!value)
    return 0;
  uint64_t ms = 0;
  auto end = value->data() + value->size();
  auto [rest, error] = std::from_chars(value->data(), end, ms);
  if (error != std::errc{} || rest != end || ms > day_ms)
    throw adapter_error{ec::invalid_argument, std::string{"the model's header "} + header + " is \"" + valid_utf8(*value)
        + "\"; it must be a whole number of milliseconds, at most " + std::to_string(day_ms)};
  return ms;
}

std::string quotation(std::string_view body) {
  body = body.substr(0, 4 * longest_quote);
  if (std::any_of(body.begin(), body.end(), is_control))
    return {};
  std::string line;
  for (char c : body)
    if (!is_space(c))
      line += c;
    else if (!line.empty() && line.back() != ' ')
      line += ' ';
  if (line.ends_with(' '))
    line.pop_back();
  line = valid_utf8(line);
  size_t characters = 0;
  auto end = std::find_if(line.begin(), line.end(), [&](char c) { return begins_character(c) && ++characters > longest_quote; });
  line.erase(end, line.end());
  return line.empty() ? line : "; it said: \"" + line + '"';
}

} // namespace segue::http_generator
