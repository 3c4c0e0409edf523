#include "actors/stream/stream.hpp"

#include "actors/log.hpp"

#include <algorithm>

namespace segue {

namespace {

constexpr size_t write_bytes = 4 * 1024 * 1024; ///< of one `put_chunks`, so that no stream starves the others
constexpr uint32_t longest_wait_ms = 30'000;

caf::error stopped() { return caf::make_error(ec::unavailable, std::string{"the stream has stopped"}); }

} // namespace

// -- life --------------------------------------------------------------------------------------------------------------

void stream_state::open(
    stream_written opened, chunk_store_actor store, directory_actor directory, stream_options options, metrics& m) {
  row_ = std::move(opened.row);
  appends_ = append_queue<append_promise>{options.pending_bytes};
  appends_.load(row_, opened.producers);
  store_ = std::move(store);
  directory_ = std::move(directory);
  options_ = options;
  metrics_ = &m;
  ring_ = ring{options.ring_bytes};
  metrics_->streams_live.Increment();
  touch();
  self_->set_down_handler([self = self_](const caf::down_msg& x) { self->quit(x.reason); });
  self_->monitor(directory_);
  self_->delayed_send(self_, options_.idle, check_idle{});
}

stream_state::~stream_state() {
  if (!metrics_)
    return;
  give_up(stopped());
  metrics_->readers_parked.Decrement(static_cast<double>(parked_.size()));
  for (auto& reader : parked_)
    reader.promise.deliver(stopped());
  metrics_->streams_live.Decrement();
}

void stream_state::on(const check_idle&) {
  auto quiet = self_->clock().now() - last_used_;
  bool idle = quiet >= options_.idle && appends_.empty() && parked_.empty() && !recovering_;
  if (!idle) {
    auto rest = std::max<caf::timespan>(options_.idle - quiet, std::chrono::milliseconds{100});
    self_->delayed_send(self_, rest, check_idle{});
    return;
  }
  self_->request(directory_, options_.store_timeout, may_retire{row_.path})
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
  if (moved_ && appends_.empty() && !recovering_)
    self_->quit();
}

// -- appending ---------------------------------------------------------------------------------------------------------

caf::result<chunk_appended> stream_state::on(const append_chunk& x) {
  touch();
  if (moved_)
    return caf::make_error(ec::moved);
  if (recovering_) {
    metrics_->appends_refused.Increment();
    return caf::make_error(ec::unavailable, std::string{"the store has not yet said what became of an earlier write"});
  }
  auto verdict = appends_.judge(row_, x);
  switch (verdict.what) {
    case append_verdict::kind::refuse:
      metrics_->appends_refused.Increment();
      return caf::make_error(verdict.code, std::move(verdict.detail));
    case append_verdict::kind::answer:
      metrics_->appends_duplicate.Increment();
      return verdict.reply;
    case append_verdict::kind::join: {
      metrics_->appends_duplicate.Increment();
      auto promise = self_->make_response_promise<append_promise>();
      appends_.join(x, promise);
      return promise;
    }
    case append_verdict::kind::accept:
      break;
  }
  auto promise = self_->make_response_promise<append_promise>();
  appends_.push(row_, x, promise);
  commit();
  return promise;
}

/// Sends everything that is pending as one write, unless one is under way.
void stream_state::commit() {
  if (writing_ || recovering_ || appends_.empty())
    return;
  writing_ = true;
  self_->request(store_, options_.store_timeout, appends_.next_write(row_, write_bytes))
      .then(
          [this](const stream_written& x) {
            settle(x.row);
            commit();
            stop_if_done();
          },
          [this](const caf::error& e) { failed(e); });
}

/// The store holds `durable`: what lies before its tail becomes visible and is acknowledged.
void stream_state::settle(const stream_row& durable) {
  auto [records, answers] = appends_.settle(durable);
  for (auto& record : records) {
    metrics_->chunks_appended.Increment();
    metrics_->bytes_appended.Increment(static_cast<double>(record.bytes.size()));
    ring_.push(std::move(record));
  }
  row_ = durable;
  writing_ = false;
  wake_readers();
  for (auto& [promise, reply] : answers)
    promise.deliver(reply);
}

/// A write was answered with an error. Refused by the fence: we are no longer the owner. Refused for lack of space:
/// nothing was written. Anything else leaves open whether it is durable, so nothing is accepted until the store has told.
void stream_state::failed(const caf::error& why) {
  writing_ = false;
  auto code = code_of(why);
  log::warning("stream", "commit_failed", row_.path + ": " + to_string(code) + " " + detail_of(why));
  if (code == ec::not_found || code == ec::fenced) {
    give_up(why);
    self_->quit();
    return;
  }
  if (code == ec::storage_full) {
    give_up(why);
    stop_if_done();
    return;
  }
  recovering_ = true;
  recover();
}

/// A claim goes through the same queue as every write: once it is answered, no earlier write is undecided.
void stream_state::recover() {
  self_->request(store_, options_.store_timeout, claim_stream{row_.path})
      .then(
          [this](const stream_written& x) {
            recovering_ = false;
            settle(x.row);
            give_up(caf::make_error(ec::unavailable, std::string{"not stored, because a write to the store failed"}));
            appends_.load(row_, x.producers);
            log::info("stream", "recovered", row_.path + " at " + std::to_string(row_.tail));
            stop_if_done();
          },
          [this](const caf::error& e) {
            if (code_of(e) == ec::not_found) {
              give_up(e);
              self_->quit();
            } else {
              self_->delayed_send(self_, options_.recovery_pause, retry_commit{});
            }
          });
}

void stream_state::on(const retry_commit&) {
  if (recovering_)
    recover();
}

/// None of the pending appends will be stored.
void stream_state::give_up(const caf::error& why) {
  for (auto& promise : appends_.abandon()) {
    metrics_->appends_refused.Increment();
    promise.deliver(why);
  }
}

// -- reading -----------------------------------------------------------------------------------------------------------

caf::result<chunk_batch> stream_state::on(const read_chunks& x) {
  touch();
  if (moved_)
    return caf::make_error(ec::moved);
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
    answer(promise, x.after, x.limit);
  return promise;
}

/// From memory, or by a reader thread of the store, which then answers in our place.
void stream_state::answer(read_promise promise, position after, uint64_t limit) {
  if (!ring_.holds(after)) {
    metrics_->reads_store.Increment();
    promise.delegate(store_, load_chunks{row_.id, after, limit, row_.tail, row_.closed});
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

void stream_state::park(const read_chunks& x, read_promise promise) {
  auto wait = std::chrono::milliseconds{std::min(x.wait_ms, longest_wait_ms)};
  parked_.push_back({x.after, x.limit, self_->clock().now() + wait, std::move(promise)});
  metrics_->readers_parked.Increment();
  expire_at(parked_.back().deadline);
}

/// A timer that is no longer the next one runs out without effect.
void stream_state::expire_at(time_point deadline) {
  if (deadline >= next_expiry_)
    return;
  next_expiry_ = deadline;
  self_->scheduled_send(self_, deadline, expire_readers{});
}

void stream_state::wake_readers() {
  auto waiting = std::partition(parked_.begin(), parked_.end(),
      [this](const parked_reader& x) { return x.after == row_.tail && !row_.closed; });
  std::vector<parked_reader> woken{std::make_move_iterator(waiting), std::make_move_iterator(parked_.end())};
  parked_.erase(waiting, parked_.end());
  metrics_->readers_parked.Decrement(static_cast<double>(woken.size()));
  for (auto& reader : woken) {
    if (reader.after == row_.tail)
      reader.promise.deliver(chunk_batch{{}, row_.tail, row_.tail, true});
    else
      answer(std::move(reader.promise), reader.after, reader.limit);
  }
}

void stream_state::on(const expire_readers&) {
  auto now = self_->clock().now();
  if (now < next_expiry_)
    return;
  next_expiry_ = time_point::max();
  auto next = time_point::max();
  std::erase_if(parked_, [&](parked_reader& reader) {
    if (reader.deadline > now) {
      next = std::min(next, reader.deadline);
      return false;
    }
    metrics_->readers_parked.Decrement();
    reader.promise.deliver(chunk_batch{{}, row_.tail, row_.tail, row_.closed});
    return true;
  });
  expire_at(next);
}

// -- the rest ----------------------------------------------------------------------------------------------------------

stream_loaded stream_state::on(const inspect_stream&) {
  touch();
  return {row_};
}

actor_description stream_state::on(const describe_actor&) {
  auto state = recovering_ ? "recovering" : row_.closed ? "closed" : "open";
  return {row_.path, state, self_->mailbox().size() + appends_.size() + parked_.size(), 0, {}};
}

stream_impl::behavior_type stream(stream_impl::stateful_pointer<stream_state> self, stream_written opened,
    chunk_store_actor store, directory_actor directory, stream_options options, metrics* m) {
  auto& st = self->state;
  st.open(std::move(opened), std::move(store), std::move(directory), options, *m);
  return {
      [&st](const append_chunk& x) { return st.on(x); },
      [&st](const read_chunks& x) { return st.on(x); },
      [&st](const inspect_stream& x) { return st.on(x); },
      [&st](const describe_actor& x) { return st.on(x); },
      [&st](const expire_readers& x) { return st.on(x); },
      [&st](const retry_commit& x) { return st.on(x); },
      [&st](const check_idle& x) { return st.on(x); },
  };
}

} // namespace segue
