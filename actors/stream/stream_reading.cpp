// The half of a stream that answers readers: from the ring, from the store, or when something newer has come.
#include "actors/lineage.hpp"
#include "actors/stream/stream.hpp"

#include <algorithm>

namespace segue {

namespace {

constexpr uint32_t longest_wait_ms = 30'000;

} // namespace

caf::result<chunk_batch> stream_state::on(const read_chunks& x) {
  touch();
  if (gone())
    return caf::make_error(ec::moved);
  use();
  if (x.after > row_.tail)
    return caf::make_error(ec::bad_offset, "the stream ends at " + format_offset(row_.tail));
  bool nothing_newer = x.after == row_.tail;
  if (nothing_newer && (row_.closed || x.wait_ms == 0))
    return chunk_batch{{}, x.after, row_.tail, row_.closed};
  if (nothing_newer && parked_.size() >= options_.parked_readers) {
    metrics_->reads_refused.Increment();
    return caf::make_error(ec::busy, std::string{"too many readers wait for this stream"});
  }
  auto promise = self_->make_response_promise<read_promise>();
  if (nothing_newer)
    park(x, promise);
  else
    answer(promise, x.after, x.limit, x.joined);
  return promise;
}

/// From memory, or by a reader thread of the store, which then answers in our place.
void stream_state::answer(read_promise promise, position after, uint64_t limit, bool joined) {
  if (!ring_.holds(after)) {
    fetch();
    promise.delegate(store_, load_chunks{holders_of(row_), after, limit, row_.tail, row_.closed, joined});
    return;
  }
  metrics_->reads_ring.Increment();
  auto records = ring_.read(after, limit);
  if (!records) {
    promise.deliver(caf::make_error(ec::bad_offset, std::string{"the offset lies inside a message"}));
    return;
  }
  auto next = records->back().end();
  promise.deliver(chunk_batch{std::move(*records), next, row_.tail, row_.closed});
}

/// Playing what was archived brings it back, while it plays already.
void stream_state::fetch() {
  if (row_.archive != archive_state::evicted || std::exchange(fetched_, true))
    return;
  self_->send(directory_, archive_played{row_.path});
}

void stream_state::park(const read_chunks& x, read_promise promise) {
  auto wait = std::chrono::milliseconds{std::min(x.wait_ms, longest_wait_ms)};
  if (row_.ttl_s >= 0) // who waits is a use, and who has left meanwhile must not be one for long: asked again by who has not
    wait = std::min(wait, std::chrono::milliseconds{std::max<int64_t>(std::min<int64_t>(row_.ttl_s, 60) * 500, 100)});
  auto deadline = self_->clock().now() + wait;
  parked_.park({x.after, x.limit, deadline, std::move(promise)});
  metrics_->readers_parked.Increment();
  expire_at(deadline);
}

/// A timer that is no longer the next one runs out without effect.
void stream_state::expire_at(time_point deadline) {
  if (deadline >= next_expiry_)
    return;
  next_expiry_ = deadline;
  self_->scheduled_send(self_, deadline, expire_readers{});
}

void stream_state::wake_readers() {
  auto woken = parked_.take_ready(row_.tail, row_.closed);
  if (!woken.empty())
    use();
  metrics_->readers_parked.Decrement(static_cast<double>(woken.size()));
  for (auto& x : woken) {
    if (x.after == row_.tail)
      x.ticket.deliver(chunk_batch{{}, row_.tail, row_.tail, true});
    else
      answer(std::move(x.ticket), x.after, x.limit);
  }
}

void stream_state::on(const expire_readers&) {
  auto now = self_->clock().now();
  if (now < next_expiry_)
    return;
  auto expired = parked_.take_expired(now);
  if (!expired.empty())
    use(); // it was, until now
  metrics_->readers_parked.Decrement(static_cast<double>(expired.size()));
  for (auto& x : expired)
    x.ticket.deliver(chunk_batch{{}, row_.tail, row_.tail, row_.closed});
  next_expiry_ = time_point::max();
  expire_at(parked_.next_deadline());
}

} // namespace segue
