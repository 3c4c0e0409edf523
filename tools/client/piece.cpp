#include "tools/client/piece.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <thread>

#include "tools/client/interrupt.hpp"

namespace segue::client {

std::string generation_path(std::string_view id) { return "/v1/generations/" + path_segment(id); }

std::string offset_text(std::uint64_t position) {
  char text[40];
  std::snprintf(text, sizeof text, "0000000000000000_%016" PRIx64, position);
  return text;
}

reply piece::state() { return client_.get(path_); }

reply piece::audio(std::uint64_t offset, const byte_sink& sink) {
  return client_.stream(path_ + "/audio", {{"offset", offset_text(offset)}}, sink);
}

void piece::pause(std::chrono::milliseconds time) {
  const auto until = now() + time;
  constexpr std::chrono::steady_clock::duration slice = std::chrono::milliseconds(100);
  while (!interrupted() && now() < until)
    std::this_thread::sleep_for(std::min(slice, until - now()));
}

bool piece::stopped() { return interrupted(); }

} // namespace segue::client
