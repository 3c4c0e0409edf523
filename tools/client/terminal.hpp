#pragma once

#include <string>
#include <string_view>

namespace segue::client {

/// Width of the terminal behind a file descriptor; 0 if it is none.
[[nodiscard]] unsigned terminal_columns(int descriptor);

/// The text on one line and harmless to a terminal: white space becomes a space, other control characters and broken
/// UTF-8 a question mark.
[[nodiscard]] std::string printable(std::string_view text);

/// `printable` text of at most `columns` columns, an ellipsis in place of what is missing.
[[nodiscard]] std::string clipped(std::string_view text, unsigned columns);

/// Seconds as m:ss, or h:mm:ss.
[[nodiscard]] std::string clock_text(double seconds);

} // namespace segue::client
