#include "tools/client/times.hpp"

#include <algorithm>
#include <iomanip>
#include <sstream>

namespace segue::client {

std::optional<std::time_t> parse_utc(const std::string& text) {
  std::tm parts{};
  std::istringstream in(text);
  in >> std::get_time(&parts, "%Y-%m-%dT%H:%M:%S");
  if (in.fail() || (in.peek() != '.' && in.peek() != 'Z')) // get_time is content when the text ends too early
    return std::nullopt;
  return timegm(&parts);
}

std::string span_text(std::time_t seconds) {
  seconds = std::max<std::time_t>(0, seconds);
  if (seconds < 60)
    return std::to_string(seconds) + " s";
  if (seconds < 3600)
    return std::to_string(seconds / 60) + " min";
  if (seconds < 2 * 86400)
    return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds / 86400) + " d";
}

} // namespace segue::client
