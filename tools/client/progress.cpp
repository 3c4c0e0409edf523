#include "tools/client/progress.hpp"

#include <algorithm>
#include <cstdio>
#include <unistd.h>

#include "tools/client/terminal.hpp"

namespace segue::client {

namespace {

using namespace std::chrono_literals;

constexpr auto redraw_every = 100ms;
constexpr auto line_every = 5s;
constexpr const char* erase_line = "\r\x1b[K";

} // namespace

progress::progress(bool silent, double duration_s)
    : silent_(silent), terminal_(isatty(STDERR_FILENO) != 0), duration_s_(duration_s) {}

progress::~progress() { finish(); }

void progress::show(std::string_view state, double seconds) {
  if (silent_)
    return;
  state_ = state;
  seconds_ = seconds;
  stale_ = true;
  const auto since = std::chrono::steady_clock::now() - drawn_at_;
  if (state_ != drawn_state_ || since >= (terminal_ ? std::chrono::milliseconds(redraw_every) : line_every))
    draw();
}

void progress::note(std::string_view line) {
  if (silent_)
    return;
  if (open_)
    std::fputs(erase_line, stderr);
  std::fprintf(stderr, "segue: %.*s\n", static_cast<int>(line.size()), line.data());
  if (open_)
    draw();
}

void progress::finish() {
  if (stale_)
    draw();
  if (open_)
    std::fputc('\n', stderr);
  open_ = false;
}

void progress::draw() {
  const unsigned columns = terminal_columns(STDERR_FILENO);
  if (terminal_) {
    std::fprintf(stderr, "%s%s", erase_line, text(columns).c_str());
    std::fflush(stderr);
    open_ = true;
  } else {
    std::fprintf(stderr, "%s\n", text(0).c_str());
  }
  stale_ = false;
  drawn_state_ = state_;
  drawn_at_ = std::chrono::steady_clock::now();
}

/// `running   [=========>          ]  45 %  0:13 / 0:30`; without the bar where there is no room or no terminal.
std::string progress::text(unsigned columns) const {
  const double share = duration_s_ > 0 ? std::clamp(seconds_ / duration_s_, 0.0, 1.0) : 0.0;
  char tail[96];
  std::snprintf(tail, sizeof tail, "%3d %%  %s / %s", static_cast<int>(share * 100 + 1e-6),
      clock_text(seconds_).c_str(), clock_text(duration_s_).c_str());
  std::string head = printable(state_);
  head.resize(std::max<std::size_t>(head.size(), 9), ' ');
  const auto taken = head.size() + std::char_traits<char>::length(tail) + 6;
  if (columns < taken + 10)
    return head + ' ' + tail;
  const auto width = std::min<std::size_t>(columns - taken, 40);
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(width));
  std::string bar(filled, '=');
  if (filled < width)
    bar += '>';
  bar.resize(width, ' ');
  return head + " [" + bar + "] " + tail;
}

} // namespace segue::client
