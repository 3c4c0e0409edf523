#include "adapters/redis/lease.hpp"

#include "adapters/ports.hpp"
#include "adapters/redis/scripts.hpp"

#include <algorithm>

namespace segue::redis {

namespace {

constexpr int most_attempts = 8; ///< to find the epoch as it is

} // namespace

lease::lease(server where, key_names keys) : connection_(std::move(where)), keys_(std::move(keys)) {}

std::optional<std::string> lease::take(const std::string& holder, std::chrono::milliseconds how_long) {
  std::lock_guard lock{asking_};
  auto before = now();
  auto ours = told_ == holder; // then it is not ours again if somebody else has had it
  auto other = take(holder, how_long, before && before->holder == holder ? before->epoch : "", ours ? "on" : "anew");
  told_ = other ? "" : holder;
  return other;
}

std::optional<std::string> lease::take(
    const std::string& holder, std::chrono::milliseconds how_long, std::string epoch, std::string how) {
  connection_.ensure();
  auto ms = std::to_string(std::max<int64_t>(how_long.count(), 1));
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    auto answer =
        connection_.run(scripts::take_lease, {keys_.lease(), keys_.epoch(), keys_.taker()}, {holder, ms, epoch, how});
    auto what = answer[0].text();
    if (what == "ours") {
      remember(held{holder, how_long, std::string{answer[1].text()}});
      return std::nullopt;
    }
    if (what == "theirs" || what == "lost") {
      remember(std::nullopt);
      return std::string{answer[1].text()};
    }
    epoch = answer[1].text();
    if (how == "on")
      how = "raise"; // an answer was lost
  }
  throw adapter_error{ec::unavailable, connection_.where().name() + ": the store changes hands all the time"};
}

void lease::release(const std::string& holder) {
  std::lock_guard lock{asking_};
  auto before = now();
  if (!before || before->holder != holder)
    return;
  remember(std::nullopt);
  told_.clear();
  connection_.ensure();
  connection_.run(scripts::release_lease, {keys_.lease(), keys_.epoch()}, {holder, before->epoch});
}

void lease::raise_epoch() {
  std::lock_guard lock{asking_};
  auto before = now();
  if (!before)
    throw adapter_error{ec::fenced, connection_.where().name() + ": the store is not ours"};
  if (auto owner = take(before->holder, before->how_long, before->epoch, "raise"))
    throw adapter_error{ec::fenced, connection_.where().name() + ": the store belongs to " + *owner};
}

std::string lease::epoch() const {
  auto x = now();
  if (!x)
    throw adapter_error{ec::fenced, connection_.where().name() + ": the store is not ours"};
  return x->epoch;
}

std::optional<lease::held> lease::now() const {
  std::lock_guard lock{mutex_};
  return held_;
}

void lease::remember(std::optional<held> x) {
  std::lock_guard lock{mutex_};
  held_ = std::move(x);
}

} // namespace segue::redis
