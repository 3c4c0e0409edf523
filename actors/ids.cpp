#include "actors/ids.hpp"

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <algorithm>
#include <array>
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

bool is_user_id(std::string_view text) {
  auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
        || std::string_view{"._@-"}.find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), allowed);
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

std::optional<int64_t> parse_time(std::string_view text) {
  auto number = [&text](size_t digits) -> std::optional<int> {
    int value = 0;
    if (text.size() < digits)
      return std::nullopt;
    for (char c : text.substr(0, digits)) {
      if (c < '0' || c > '9')
        return std::nullopt;
      value = value * 10 + (c - '0');
    }
    text.remove_prefix(digits);
    return value;
  };
  auto literal = [&text](std::string_view either) {
    bool there = !text.empty() && either.find(text.front()) != either.npos;
    text.remove_prefix(there ? 1 : 0);
    return there;
  };
  std::array<int, 6> parts{}; // year, month, day, hour, minute, second
  constexpr std::array<std::string_view, 6> before{"", "-", "-", "Tt ", ":", ":"};
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0 && !literal(before[i]))
      return std::nullopt;
    auto part = number(i == 0 ? 4 : 2);
    if (!part)
      return std::nullopt;
    parts[i] = *part;
  }
  auto [year, month, day, hour, minute, second] = parts;
  std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month(month), std::chrono::day(day)};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60)
    return std::nullopt;
  int64_t ms = 0;
  if (literal(".")) {
    int scale = 100;
    for (auto digit = number(1); digit; digit = number(1), scale /= 10)
      ms += *digit * scale;
  }
  int64_t ahead = 0; // minutes before UTC
  if (!literal("Zz")) {
    bool east = literal("+");
    if (!east && !literal("-"))
      return std::nullopt;
    auto hours = number(2);
    bool colon = literal(":");
    auto minutes = number(2);
    if (!hours || !colon || !minutes || *hours > 23 || *minutes > 59)
      return std::nullopt;
    ahead = (*hours * 60 + *minutes) * (east ? 1 : -1);
  }
  if (!text.empty())
    return std::nullopt;
  auto days = std::chrono::sys_days{date}.time_since_epoch().count();
  return ((days * 24 + hour) * int64_t{60} + minute - ahead) * 60'000 + second * 1000 + ms;
}

int64_t unix_now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

} // namespace segue
