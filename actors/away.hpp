// Failures that say nothing against what was asked: the other side is not there, or has no room now.
#pragma once

#include "actors/errors.hpp"

#include <algorithm>
#include <array>

namespace segue {

/// However long such failures last, trying later helps.
inline constexpr std::array away_codes{
    ec::busy, ec::unknown_outcome, ec::unavailable, ec::timeout, ec::storage_full};

inline bool is_away(ec code) { return std::find(away_codes.begin(), away_codes.end(), code) != away_codes.end(); }

/// Of an error as a row keeps it: `CODE`, or `CODE: detail`.
inline bool says_away(const std::string& error) {
  auto code = error.substr(0, error.find(':'));
  return std::any_of(away_codes.begin(), away_codes.end(), [&](ec x) { return to_string(x) == code; });
}

} // namespace segue
