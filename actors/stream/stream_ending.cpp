// How a stream ends: it retires when it is idle, and its time may be over.
#include "actors/sound.hpp"
#include "actors/stream/stream.hpp"

#include <algorithm>

namespace segue {

void stream_state::on(const check_idle&) {
  auto quiet = self_->clock().now() - last_used_;
  bool idle = quiet >= options_.idle && appends_.empty() && parked_.empty() && until_owned_.empty() && !recovering_;
  if (!idle) {
    if (row_.closed && whose_audio(row_.path)) // played on and on, it may have been archived meanwhile
      self_->request(store_, options_.store_timeout, load_stream{row_.path})
          .then(
              [this](const stream_loaded& x) {
                row_.archive = x.row.archive;
                fetched_ = false; // asked for in the middle of the eviction, it was not taken
              },
              [](const caf::error&) {});
    auto rest = std::max<caf::timespan>(options_.idle - quiet, std::chrono::milliseconds{100});
    self_->delayed_send(self_, rest, check_idle{});
    return;
  }
  int64_t expires_in_ms = -1;
  if (expiry_.deadline() != expiry::never) {
    auto left = expiry_.deadline() - self_->clock().now();
    expires_in_ms = std::max(std::chrono::duration_cast<std::chrono::milliseconds>(left).count(), int64_t{0});
  }
  self_->request(directory_, caf::infinite, may_retire{row_.path, expires_in_ms}) // given up, it would still be granted
      .then(
          [this](const retirement_decided& x) {
            moved_ = x.granted;
            if (moved_)
              stop_if_done();
            else
              self_->delayed_send(self_, options_.idle, check_idle{});
          },
          [this](const caf::error&) { self_->delayed_send(self_, options_.idle, check_idle{}); });
}

void stream_state::stop_if_done() {
  if (moved_ && appends_.empty() && until_owned_.empty() && !recovering_)
    self_->quit();
}

/// Whether it accepts nothing any more: the directory has forgotten it, or its time is over, which the directory is told
/// before anybody hears of it.
bool stream_state::gone() {
  if (!parked_.empty())
    use();
  if (!moved_ && expiry_.over(self_->clock().now())) {
    moved_ = true;
    self_->send(directory_, stream_expired{row_.path});
  }
  return moved_;
}

/// Looks again once in a while, since a timer keeps the actor in memory.
void stream_state::watch_expiry() {
  if (expiry_.deadline() != expiry::never)
    self_->scheduled_send(self_, std::min(expiry_.deadline(), self_->clock().now() + options_.idle), check_expiry{});
}

void stream_state::on(const check_expiry&) {
  if (!gone())
    watch_expiry();
}

} // namespace segue
