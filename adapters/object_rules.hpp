// What is allowed in every object store: whatever one of them could misread is refused by all.
#pragma once

#include "adapters/ports.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace segue {

inline constexpr size_t longest_object_key = 512;
inline constexpr size_t longest_key_segment = 255; ///< what a file may be called
inline constexpr size_t most_parts = 10'000;
inline constexpr size_t least_part_bytes = 5 << 20; ///< but for the last part
inline constexpr std::string_view uploads_segment = ".uploads"; ///< where file systems keep what is not whole yet

/// Whether a part of a key between two slashes is allowed.
inline bool is_key_segment(std::string_view text) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  return !text.empty() && text.size() <= longest_key_segment && text != "." && text != ".."
      && text.find_first_not_of(allowed) == std::string_view::npos;
}

inline bool is_object_key(std::string_view text) {
  if (text.size() > longest_object_key || text == uploads_segment || text.starts_with(std::string{uploads_segment} + "/"))
    return false;
  for (size_t at = 0; at <= text.size();) {
    auto end = std::min(text.find('/', at), text.size());
    if (!is_key_segment(text.substr(at, end - at)))
      return false;
    at = end + 1;
  }
  return true;
}

/// Throws `adapter_error{ec::invalid_argument}` unless it is one.
inline void check_object_key(std::string_view text) {
  if (is_object_key(text))
    return;
  std::string shown{text.substr(0, 80)};
  std::replace_if(shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  throw adapter_error{ec::invalid_argument, "\"" + shown + "\" is not the key of an object: at most 512 letters, digits, "
      "- _ . and /, no part between slashes empty, \".\", \"..\" or longer than 255, and not in \".uploads\""};
}

/// Throws `adapter_error{ec::invalid_argument}` unless a part may have this number, or an upload so many parts.
inline void check_part_number(size_t number) {
  if (number < 1 || number > most_parts)
    throw adapter_error{ec::invalid_argument, "an upload has 1 to 10,000 parts, not " + std::to_string(number)};
}

} // namespace segue
