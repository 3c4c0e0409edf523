#include "http/stream_cursor.hpp"

#include "actors/ids.hpp"

#include <charconv>
#include <random>

namespace segue::http {

namespace {

constexpr int64_t epoch_ms = 1'728'432'000'000;
constexpr int64_t interval_ms = 20'000;
constexpr uint64_t most = (uint64_t{1} << 53) - 1; ///< greater ones are not ours
constexpr uint64_t most_jitter = 3'600'000 / interval_ms;

} // namespace

std::string next_cursor(const std::string& shown, int64_t now_ms, uint64_t dice) {
  auto current = static_cast<uint64_t>((now_ms - epoch_ms) / interval_ms);
  uint64_t known = 0;
  bool none = std::from_chars(shown.data(), shown.data() + shown.size(), known).ec != std::errc{} || known > most;
  return std::to_string(none || known < current ? current : known + 1 + dice % most_jitter);
}

std::string next_cursor(const std::string& shown) {
  thread_local std::minstd_rand dice{std::random_device{}()};
  return next_cursor(shown, unix_now_ms(), dice());
}

} // namespace segue::http
