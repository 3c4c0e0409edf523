#include "actors/cluster/relay_stream.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace segue {

namespace {

constexpr uint32_t longest_wait_ms = 30'000;
constexpr auto patience = std::chrono::seconds{35};      ///< a little less than the edge waits; a link that is dead ends it sooner
constexpr auto read_patience = std::chrono::seconds{60}; ///< longer: what is given up while it is on its way is sent again
constexpr auto farewell = std::chrono::seconds{1}; ///< in which those who still hold it are sent back to the directory

} // namespace

// -- life --------------------------------------------------------------------------------------------------------------------

void relay_stream_state::open(stream_opened there, directory_actor directory, relay_ground ground) {
  there_ = std::move(there.stream);
  row_ = std::move(there.row);
  directory_ = std::move(directory);
  ground_ = std::move(ground);
  bool may_linger = row_.ttl_s < 0; // of a stream that lives from its use, nobody reads without being asked
  reading_ = reading{ground_.limits.ring_bytes, ground_.limits.readers, may_linger};
  ground_.counters->relayed_streams.Increment();
  touch();
  self_->set_down_handler([this](const caf::down_msg&) { end(link_is_down()); });
  self_->monitor(there_);
  self_->delayed_send(self_, ground_.idle, check_idle{});
}

relay_stream_state::~relay_stream_state() {
  if (!ground_.counters)
    return;
  self_->demonitor(there_.address()); // else something of us stays with it
  settle(reading_.abandon(link_is_down()));
  appends_.give_up(link_is_down());
  looked(link_is_down());
  ground_.replays->give(replay_bytes_);
  ground_.counters->relayed_streams.Decrement();
}

/// There is nothing left to stand for. The directory hears of it before anybody who then asks it.
void relay_stream_state::end(const caf::error& why) {
  self_->send(directory_, stream_expired{row_.path});
  settle(reading_.abandon(why));
  appends_.give_up(why);
  looked(why);
  self_->quit();
}

/// From now on who still holds it is sent back to the directory. Appends that are under way are answered by the owner, or not at
/// all: who is told that nothing was stored sends it again.
void relay_stream_state::retire() {
  if (std::exchange(moved_, true))
    return;
  self_->send(directory_, stream_expired{row_.path});
  auto moved = caf::make_error(ec::moved);
  settle(reading_.abandon(moved));
  looked(moved);
  self_->delayed_send(self_, farewell, check_idle{});
}

void relay_stream_state::on(const check_idle&) {
  if (moved_ && appends_.size() == 0)
    return self_->quit();
  if (moved_)
    return self_->delayed_send(self_, farewell, check_idle{});
  auto quiet = self_->clock().now() - last_used_;
  bool idle = quiet >= ground_.idle && reading_.waiting() == 0 && appends_.size() == 0 && looking_.empty();
  if (!idle)
    return self_->delayed_send(self_, std::max<caf::timespan>(ground_.idle - quiet, std::chrono::milliseconds{100}), check_idle{});
  retire();
}

// -- reading -----------------------------------------------------------------------------------------------------------------

caf::result<chunk_batch> relay_stream_state::on(const read_chunks& x) {
  touch();
  if (moved_)
    return caf::make_error(ec::moved);
  auto promise = self_->make_response_promise<read_promise>();
  auto wait = std::chrono::milliseconds{std::min(x.wait_ms, longest_wait_ms)};
  settle(reading_.offer({x.after, x.limit, x.wait_ms > 0, self_->clock().now() + wait, promise}));
  pump();
  return promise;
}

void relay_stream_state::pump() {
  if (moved_)
    return;
  if (auto question = reading_.next(shared_read::past)) {
    replay_ = question;
    replay();
  }
  if (auto question = reading_.next(shared_read::tail))
    ask(shared_read::tail, *question);
  expire_at(reading_.next_deadline());
}

/// What lies behind the end is sent a few reads at a time, of all streams together: else what comes would wait behind it.
void relay_stream_state::replay() {
  auto later = [self = relay_stream_impl{self_}] { caf::anon_send(self, read_on{}); };
  if (!replay_ || moved_ || !ground_.replays->take_or_wait(replay_->limit, later))
    return;
  replay_bytes_ = replay_->limit;
  ask(shared_read::past, *std::exchange(replay_, std::nullopt));
}

void relay_stream_state::answered(shared_read which) {
  if (which == shared_read::past)
    ground_.replays->give(std::exchange(replay_bytes_, 0));
}

void relay_stream_state::ask(shared_read which, const read_chunks& x) {
  ground_.counters->relay_reads.Increment();
  self_->request(there_, std::chrono::milliseconds{x.wait_ms} + read_patience, x)
      .then(
          [this, which](const chunk_batch& batch) {
            size_t bytes = 0;
            for (const auto& record : batch.chunks)
              bytes += record.bytes.size();
            ground_.counters->relayed_read.Increment(static_cast<double>(bytes));
            answered(which);
            settle(reading_.arrived(which, batch));
            pump();
          },
          [this, which](const caf::error& why) {
            answered(which);
            if (code_of(why) == ec::moved)
              retire();
            settle(reading_.failed(which, why));
            pump();
          });
}

void relay_stream_state::settle(reading::outcome x) {
  for (auto& [promise, batch] : x.answers)
    promise.deliver(std::move(batch));
  for (auto& [promise, why] : x.refusals)
    promise.deliver(std::move(why));
}

/// A timer that is no longer the next one runs out without effect.
void relay_stream_state::expire_at(time_point deadline) {
  if (deadline >= next_expiry_)
    return;
  next_expiry_ = deadline;
  self_->scheduled_send(self_, deadline, expire_readers{});
}

void relay_stream_state::on(const expire_readers&) {
  auto now = self_->clock().now();
  if (now < next_expiry_)
    return;
  settle(reading_.expire(now));
  next_expiry_ = time_point::max();
  expire_at(reading_.next_deadline());
}

// -- looking -----------------------------------------------------------------------------------------------------------------

/// While the end is followed, it is known; else it is asked for, once for all who want to know.
caf::result<stream_loaded> relay_stream_state::on(const inspect_stream& x) {
  touch();
  if (moved_)
    return caf::make_error(ec::moved);
  if (reading_.follows() && !x.settled) {
    row_.tail = std::max(row_.tail, reading_.tail());
    row_.closed = reading_.closed();
    return stream_loaded{row_};
  }
  auto promise = self_->make_response_promise<inspect_promise>();
  if (looking_.size() + looking_next_.size() >= ground_.limits.readers) {
    ground_.counters->relay_refused.Increment();
    return caf::make_error(ec::busy, std::string{"too many readers wait for this stream"});
  }
  looking_next_.push_back(promise);
  settled_next_ = settled_next_ || x.settled;
  if (looking_.empty())
    look();
  return promise;
}

void relay_stream_state::look() {
  looking_ = std::exchange(looking_next_, {});
  self_->request(there_, patience, inspect_stream{std::exchange(settled_next_, false)})
      .then(
          [this](const stream_loaded& x) {
            row_ = x.row;
            for (auto& promise : std::exchange(looking_, {}))
              promise.deliver(x);
            if (!looking_next_.empty())
              look();
          },
          [this](const caf::error& why) {
            if (code_of(why) == ec::moved)
              retire();
            looked(why);
          });
}

void relay_stream_state::looked(const caf::error& why) {
  for (auto& promise : std::exchange(looking_, {}))
    promise.deliver(why);
  for (auto& promise : std::exchange(looking_next_, {}))
    promise.deliver(why);
}

// -- appending ---------------------------------------------------------------------------------------------------------------

/// Passed on once, and never again: whether it is stored when no answer comes, its producer finds out by repeating it under the
/// same number.
caf::result<chunk_appended> relay_stream_state::on(const append_chunk& x) {
  touch();
  if (moved_)
    return caf::make_error(ec::moved);
  auto size = x.bytes.size();
  bool full = appends_.size() >= ground_.limits.appends || (append_bytes_ > 0 && append_bytes_ + size > ground_.limits.append_bytes);
  if (full || !ground_.link->take(size)) {
    ground_.counters->relay_refused.Increment();
    return caf::make_error(ec::busy, std::string{"too many bytes are on their way to the node that was joined"});
  }
  append_bytes_ += size;
  auto promise = self_->make_response_promise<append_promise>();
  auto number = appends_.add([this, promise, size](const caf::error&) mutable { // whatever it says
    ground_.link->give(size);
    append_bytes_ -= size;
    promise.deliver(unanswered<append_chunk>(link_is_down()));
  });
  self_->request(there_, patience, x)
      .then(
          [this, promise, number, size](const chunk_appended& reply) mutable {
            if (!appends_.remove(number))
              return;
            ground_.link->give(size);
            append_bytes_ -= size;
            ground_.counters->relayed_append.Increment(static_cast<double>(size));
            reading_.told(reply.next, reply.closed);
            promise.deliver(reply);
          },
          [this, promise, number, size](const caf::error& why) mutable {
            if (!appends_.remove(number))
              return;
            ground_.link->give(size);
            append_bytes_ -= size;
            bool elsewhere = has_retired(why);
            if (elsewhere)
              retire();
            promise.deliver(elsewhere ? caf::make_error(ec::moved) : segue::answered<append_chunk>(why));
          });
  return promise;
}

// -- the rest ----------------------------------------------------------------------------------------------------------------

actor_description relay_stream_state::on(const describe_actor&) const {
  auto state = reading_.closed() ? "closed" : reading_.follows() ? "follows" : "relays";
  return {row_.path, state, self_->mailbox().size() + reading_.waiting() + appends_.size(), 0, {}};
}

relay_stream_impl::behavior_type relay_stream(relay_stream_impl::stateful_pointer<relay_stream_state> self, stream_opened there,
    directory_actor directory, relay_ground ground) {
  auto& st = self->state;
  st.open(std::move(there), std::move(directory), std::move(ground));
  return {
      [&st](const append_chunk& x) { return st.on(x); },
      [&st](const read_chunks& x) { return st.on(x); },
      [&st](const inspect_stream& x) { return st.on(x); },
      [&st](const describe_actor& x) { return st.on(x); },
      [&st](const expire_readers& x) { st.on(x); },
      [&st](const check_idle& x) { st.on(x); },
      [&st](const read_on& x) { st.on(x); },
  };
}

} // namespace segue
