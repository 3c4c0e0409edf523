#include "actors/stream/stream.hpp"

#include "actors/log.hpp"
#include "actors/sound.hpp"

#include <algorithm>

namespace segue {

namespace {

constexpr size_t write_bytes = 4 * 1024 * 1024; ///< of one `put_chunks`, so that no stream starves the others

caf::error stopped() { return caf::make_error(ec::unavailable, std::string{"the stream has stopped"}); }

} // namespace

// -- life --------------------------------------------------------------------------------------------------------------

void stream_state::open(stream_written opened, expiry::time_point deadline, chunk_store_actor store,
    directory_actor directory, stream_options options, metrics& m) {
  row_ = std::move(opened.row);
  owned_ = opened.created || row_.closed;
  appends_ = append_queue<append_promise>{options.pending_bytes};
  appends_.load(row_, opened.producers);
  store_ = std::move(store);
  directory_ = std::move(directory);
  options_ = options;
  metrics_ = &m;
  ring_ = ring{options.ring_bytes};
  metrics_->streams_live.Increment();
  touch();
  expiry_ = expiry{row_, self_->clock().now(), unix_now_ms()};
  expiry_.end_by(deadline);
  watch_expiry();
  self_->delayed_send(self_, options_.idle, check_idle{});
  self_->set_exit_handler([this](const caf::exit_msg& x) {
    removed_ = code_of(x.reason) == ec::moved;
    self_->quit(x.reason);
  });
}

stream_state::~stream_state() {
  if (!metrics_)
    return;
  owned(caf::make_error(ec::moved)); // nothing of theirs was written
  give_up(removed_ ? caf::make_error(ec::moved) : stopped());
  metrics_->readers_parked.Decrement(static_cast<double>(parked_.size()));
  for (auto& reader : parked_.take_all())
    reader.ticket.deliver(stopped());
  metrics_->streams_live.Decrement();
}

// -- owning ------------------------------------------------------------------------------------------------------------

/// Answers by `f`, as soon as every write of a former owner is decided.
template <class Promise, class F>
Promise stream_state::when_owned(Promise promise, F f) {
  if (owned_) {
    f(promise);
    return promise;
  }
  until_owned_.push_back([promise, f](const caf::error& why) mutable {
    if (why)
      promise.deliver(why);
    else
      f(promise);
  });
  if (!recovering_) {
    recovering_ = true;
    recover();
  }
  return promise;
}

/// It is ours now, or why not.
void stream_state::owned(const caf::error& why) {
  owned_ = owned_ || !why;
  until_owned_bytes_ = 0;
  for (auto& x : std::exchange(until_owned_, {}))
    x(why);
}

// -- appending ---------------------------------------------------------------------------------------------------------

caf::result<chunk_appended> stream_state::on(const append_chunk& x) {
  touch();
  if (gone())
    return caf::make_error(ec::moved);
  use();
  auto refuse = [this](ec code, std::string why) {
    metrics_->appends_refused.Increment();
    return caf::make_error(code, std::move(why));
  };
  if (owned_ && recovering_)
    return refuse(ec::unavailable, "the store has not yet said what became of an earlier write");
  if (!owned_ && until_owned_bytes_ > 0 && until_owned_bytes_ + x.bytes.size() > options_.pending_bytes)
    return refuse(ec::busy, "too many bytes wait to be stored");
  if (!owned_)
    until_owned_bytes_ += x.bytes.size();
  return when_owned(self_->make_response_promise<append_promise>(), [this, x](append_promise& promise) { judge(x, promise); });
}

void stream_state::judge(const append_chunk& x, append_promise promise) {
  auto verdict = appends_.judge(row_, x);
  switch (verdict.what) {
    case append_verdict::kind::refuse:
      metrics_->appends_refused.Increment();
      promise.deliver(caf::make_error(verdict.code, std::move(verdict.detail)));
      return;
    case append_verdict::kind::answer:
      metrics_->appends_duplicate.Increment();
      promise.deliver(verdict.reply);
      return;
    case append_verdict::kind::join:
      metrics_->appends_duplicate.Increment();
      return appends_.join(x, promise);
    case append_verdict::kind::accept:
      if (auto code = beyond_bounds(x); code != ec::none) {
        metrics_->appends_refused.Increment();
        promise.deliver(caf::make_error(code, code == ec::too_large
                ? "the stream would become too large: it may have " + std::to_string(options_.most_bytes) + " bytes"
                : "the stream has too many producers: it may have " + std::to_string(options_.producers)));
        return;
      }
      appends_.push(row_, x, promise);
      return commit();
  }
}

/// Of a stream of an application.
ec stream_state::beyond_bounds(const append_chunk& x) const {
  if (is_of_generation(row_.path))
    return ec::none;
  auto end = row_.tail + appends_.bytes();
  if (x.bytes.size() > 0 && (end >= options_.most_bytes || x.bytes.size() > options_.most_bytes - end))
    return ec::too_large;
  return !x.producer.id.empty() && appends_.producers_beside(x.producer.id) >= options_.producers ? ec::busy : ec::none;
}

/// Sends everything that is pending as one write, unless one is under way. However long the store needs, it answers or
/// dies; a time limit would wake the clock's thread twice for each write.
void stream_state::commit() {
  if (writing_ || recovering_ || appends_.empty())
    return;
  writing_ = true;
  self_->request(store_, caf::infinite, appends_.next_write(row_, write_bytes))
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

/// A claim goes through the same queue as every write: once it is answered, no earlier write is undecided. A store that has lost
/// what it had acknowledged leaves us with what is not so: readers and producers go on with a successor, from what is left.
void stream_state::recover() {
  self_->request(store_, options_.store_timeout, claim_stream{row_.path})
      .then(
          [this](const stream_written& x) {
            if (x.row.tail < row_.tail) {
              log::error("stream", "acknowledged_lost", row_.path + ": the store ends at " + std::to_string(x.row.tail)
                  + ", and had acknowledged " + std::to_string(row_.tail));
              return self_->quit();
            }
            recovering_ = false;
            settle(x.row);
            give_up(caf::make_error(ec::unavailable, std::string{"not stored, because a write to the store failed"}));
            appends_.load(row_, x.producers);
            if (owned_)
              log::info("stream", "recovered", row_.path + " at " + std::to_string(row_.tail));
            owned({});
            stop_if_done();
          },
          [this](const caf::error& e) {
            if (code_of(e) == ec::not_found) {
              owned(e);
              give_up(e);
              self_->quit();
            } else if (!owned_) { // nothing of ours is undecided: the next append tries again
              recovering_ = false;
              owned(e);
              stop_if_done();
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

// -- the rest ----------------------------------------------------------------------------------------------------------

caf::result<stream_loaded> stream_state::on(const inspect_stream& x) {
  touch();
  if (gone())
    return caf::make_error(ec::moved);
  if (!x.settled)
    return stream_loaded{row_};
  return when_owned(self_->make_response_promise<caf::typed_response_promise<stream_loaded>>(),
      [this](auto& promise) { promise.deliver(stream_loaded{row_}); });
}

actor_description stream_state::on(const describe_actor&) {
  auto state = recovering_ ? "recovering" : row_.closed ? "closed" : owned_ ? "open" : "read only";
  return {row_.path, state, self_->mailbox().size() + appends_.size() + parked_.size(), 0, {}};
}

stream_impl::behavior_type stream(stream_impl::stateful_pointer<stream_state> self, stream_written opened,
    expiry::time_point deadline, chunk_store_actor store, directory_actor directory, stream_options options, metrics* m) {
  auto& st = self->state;
  st.open(std::move(opened), deadline, std::move(store), std::move(directory), options, *m);
  return {
      [&st](const append_chunk& x) { return st.on(x); },
      [&st](const read_chunks& x) { return st.on(x); },
      [&st](const inspect_stream& x) { return st.on(x); },
      [&st](const describe_actor& x) { return st.on(x); },
      [&st](const expire_readers& x) { return st.on(x); },
      [&st](const retry_commit& x) { return st.on(x); },
      [&st](const check_idle& x) { return st.on(x); },
      [&st](const check_expiry& x) { return st.on(x); },
  };
}

} // namespace segue
