#pragma once

#include <ctime>
#include <optional>
#include <string>

namespace segue::client {

/// A time as the server writes it, ISO 8601 in UTC, to the second; nothing if it is none.
[[nodiscard]] std::optional<std::time_t> parse_utc(const std::string& text);

/// "12 s", "5 min", "3 h", "9 d"; no time at all is "0 s", and so is less.
[[nodiscard]] std::string span_text(std::time_t seconds);

} // namespace segue::client
