// `Stream-Cursor`: lets caches collapse the long polls of many listeners into one, and keeps them from going in circles.
#pragma once

#include <cstdint>
#include <string>

namespace segue::http {

/// Number of the current interval of 20 s since 2024-10-09T00:00:00Z; for a client that shows the current or a later one
/// a greater one, by up to an hour.
std::string next_cursor(const std::string& shown);
std::string next_cursor(const std::string& shown, int64_t now_ms, uint64_t dice);

} // namespace segue::http
