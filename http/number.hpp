// Whole numbers as clients write them.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace segue::http {

/// Digits and nothing else, at most `most`; leading zeros are digits. Nothing: it is no such number.
inline std::optional<uint64_t> whole_number(std::string_view text, uint64_t most = UINT64_MAX) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && value <= most ? std::optional{value} : std::nullopt;
}

/// What JavaScript can count to.
inline constexpr uint64_t most_exact = (uint64_t{1} << 53) - 1;

} // namespace segue::http
