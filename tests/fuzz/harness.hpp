// What the harnesses have in common.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace segue::fuzz {

/// Ends the run with a sentence when a property does not hold; libFuzzer then keeps the input.
inline void insist(bool holds, const char* property, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (holds)
    return;
  std::fprintf(stderr, "%s:%d: property violated: %s\n", file, line, property);
  std::abort();
}

/// Takes a text up to a separator, which goes with it, off the front.
inline std::string_view cut(std::string_view& rest, char separator) {
  auto end = rest.find(separator);
  auto piece = rest.substr(0, end);
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  return piece;
}

/// Number `index` of those that the bytes of the input make up; zeros behind its end.
inline uint64_t number_in(std::string_view input, size_t index) {
  uint64_t value = 0;
  if (input.size() > 8 * index)
    std::memcpy(&value, input.data() + 8 * index, std::min<size_t>(8, input.size() - 8 * index));
  return value;
}

/// The number that is the whole text; nothing for anything else.
inline bool read_decimal(std::string_view text, uint64_t& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

} // namespace segue::fuzz
