#include "actors/ids.hpp"

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace segue {

namespace {

constexpr std::string_view offset_prefix = "0000000000000000_";

bool is_lower_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

} // namespace

std::string format_offset(position at) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(at));
  return std::string{offset_prefix}.append(digits, 16);
}

std::optional<offset_query> parse_offset(std::string_view text) {
  if (text == "-1")
    return offset_query{offset_query::kind::start, 0};
  if (text == "now")
    return offset_query{offset_query::kind::now, 0};
  if (text.size() != offset_prefix.size() + 16 || !text.starts_with(offset_prefix))
    return std::nullopt;
  auto digits = text.substr(offset_prefix.size());
  for (char c : digits)
    if (!is_lower_hex(c))
      return std::nullopt;
  position at = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), at, 16);
  return offset_query{offset_query::kind::at, at};
}

std::string new_uuid() {
  thread_local boost::uuids::random_generator generate; // the system's: some ids must not be guessed
  return boost::uuids::to_string(generate());
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36)
    return false;
  for (size_t i = 0; i < text.size(); ++i) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_lower_hex(text[i]))
      return false;
  }
  return true;
}

std::string format_time(int64_t unix_ms) {
  auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  auto length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text + length, sizeof text - length, ".%03dZ", static_cast<int>(unix_ms % 1000));
  return text;
}

int64_t unix_now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

} // namespace segue
