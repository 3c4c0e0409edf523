#include "actors/stream/expiry.hpp"

#include <algorithm>

namespace segue {

namespace {

constexpr int64_t longest_ms = int64_t{100} * 365 * 24 * 3'600'000; ///< so that no sum overflows

} // namespace

expiry::expiry(const stream_row& row, time_point now, int64_t unix_ms) {
  if (row.expires_at_ms != 0)
    deadline_ = now + std::chrono::milliseconds{std::clamp(row.expires_at_ms - unix_ms, int64_t{0}, longest_ms)};
  else if (row.ttl_s >= 0)
    ttl_ = std::chrono::milliseconds{std::min(row.ttl_s, longest_ms / 1000) * 1000};
  use(now);
}

void expiry::use(time_point now) {
  if (ttl_.count() >= 0)
    deadline_ = now + ttl_;
}

void expiries::set(const std::string& path, time_point deadline, time_point earliest) {
  forget(path);
  if (deadline != expiry::never)
    by_path_[path] = by_time_.emplace(std::max(deadline, earliest), timed{path, deadline});
}

void expiries::forget(const std::string& path) {
  auto known = by_path_.find(path);
  if (known == by_path_.end())
    return;
  by_time_.erase(known->second);
  by_path_.erase(known);
}

expiries::time_point expiries::deadline(const std::string& path) const {
  auto known = by_path_.find(path);
  return known == by_path_.end() ? expiry::never : known->second->second.deadline;
}

std::vector<std::string> expiries::take_over(time_point now) {
  std::vector<std::string> taken;
  while (!by_time_.empty() && by_time_.begin()->first <= now) {
    taken.push_back(by_time_.begin()->second.path);
    forget(taken.back());
  }
  return taken;
}

} // namespace segue
