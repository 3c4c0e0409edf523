#include "tools/client/terminal.hpp"

#include <algorithm>
#include <clocale>
#include <cmath>
#include <cstdio>
#include <cwchar>
#include <limits>
#include <sys/ioctl.h>
#include <unistd.h>

namespace segue::client {

namespace {

/// Character classes and widths of UTF-8, whatever the user's locale says, for as long as it lives.
class utf8_scope {
public:
  utf8_scope() : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)), before_(uselocale(locale_)) {}
  ~utf8_scope() {
    uselocale(before_);
    if (locale_ != nullptr)
      freelocale(locale_);
  }
  utf8_scope(const utf8_scope&) = delete;
  utf8_scope& operator=(const utf8_scope&) = delete;

private:
  locale_t locale_;
  locale_t before_;
};

} // namespace

unsigned terminal_columns(int descriptor) {
  if (isatty(descriptor) == 0)
    return 0;
  winsize size{};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string printable(std::string_view text) { return clipped(text, std::numeric_limits<unsigned>::max()); }

std::string clipped(std::string_view text, unsigned columns) {
  const utf8_scope scope;
  std::string result;
  std::size_t fits = 0; // length of the longest beginning that leaves room for the ellipsis
  unsigned used = 0;
  while (!text.empty()) {
    std::mbstate_t state{};
    wchar_t letter = 0;
    auto length = std::mbrtowc(&letter, text.data(), text.size(), &state);
    std::string_view shown = text.substr(0, length);
    int width = 1;
    if (text[0] == '\0' || length > text.size()) {
      length = 1;
      shown = "?";
    } else if (letter == L'\n' || letter == L'\t' || letter == L'\r') {
      shown = " ";
    } else if (width = wcwidth(letter); width < 0) {
      shown = "?";
      width = 1;
    }
    if (used + static_cast<unsigned>(width) > columns) {
      result.resize(fits);
      return columns > 0 ? result + "…" : result;
    }
    used += static_cast<unsigned>(width);
    result += shown;
    if (used + 1 <= columns)
      fits = result.size();
    text.remove_prefix(length);
  }
  return result;
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<long>(std::floor(std::max(0.0, seconds) + 1e-6));
  char text[40];
  if (whole >= 3600) {
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%ld:%02ld", whole / 60, whole % 60);
  }
  return text;
}

} // namespace segue::client
