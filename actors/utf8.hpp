// Text that comes from outside.
#pragma once

#include <string>
#include <string_view>

namespace segue {

/// The same, with U+FFFD in place of bytes that are no UTF-8.
std::string valid_utf8(std::string_view text);

/// The beginning of valid UTF-8: at most so many bytes, and no half of a character.
std::string_view beginning_of(std::string_view text, size_t most);

} // namespace segue
