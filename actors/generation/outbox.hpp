// Appends of one producer to one stream, exactly once and in order, whatever happens to the stream actor meanwhile.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/log.hpp"

#include <chrono>
#include <deque>
#include <functional>

namespace segue {

/// Keeps what is not acknowledged and sends it again, under the same producer sequence numbers, after any failure that
/// trying again can mend: the stream recognises what it has. `Self` is the actor that owns the outbox; it calls `resend`
/// when it receives the `resend_appends` that the outbox sends to it.
template <class Self>
class outbox {
public:
  using acknowledged = std::function<void(const chunk_appended&)>;
  using refused = std::function<void(const caf::error&)>;

  outbox(Self self, generation_stream which) : self_(self), which_(which) {}

  /// `on_refused` is told of errors that trying again does not mend.
  void open(directory_actor directory, stream_opened opened, std::string producer, uint64_t epoch, refused on_refused) {
    directory_ = std::move(directory);
    path_ = opened.row.path;
    content_type_ = opened.row.content_type;
    user_id_ = opened.row.user_id;
    stream_ = std::move(opened.stream);
    producer_ = std::move(producer);
    epoch_ = epoch;
    on_refused_ = std::move(on_refused);
  }

  /// From now on under another epoch. Nothing may be unacknowledged: an append of an older epoch could not be sent again.
  void renew(uint64_t epoch) {
    if (epoch != epoch_)
      next_seq_ = 0;
    epoch_ = epoch;
  }

  const stream_actor& stream() const { return stream_; }
  size_t unacknowledged() const { return waiting_.size(); }

  void push(append_chunk x, acknowledged done = {}) {
    x.producer = {producer_, epoch_, next_seq_++};
    waiting_.push_back({x, std::move(done)});
    if (!pausing_)
      send(std::move(x));
  }

  /// Finds the stream again, for it may be another actor now, and sends everything that waits.
  void resend() {
    open_stream wanted{{.path = path_, .content_type = content_type_, .user_id = user_id_}};
    self_->request(directory_, timeout, std::move(wanted))
        .then(
            [this](stream_opened& x) {
              stream_ = std::move(x.stream);
              pausing_ = false;
              ++round_;
              for (const auto& waiting : waiting_)
                send(waiting.append);
            },
            [this](const caf::error& why) {
              if (mendable(code_of(why)))
                self_->delayed_send(self_, pause, resend_appends{which_});
              else
                on_refused_(why);
            });
  }

private:
  static constexpr auto timeout = std::chrono::seconds{60};
  static constexpr auto pause = std::chrono::milliseconds{200};

  struct waiting_append {
    append_chunk append;
    acknowledged done;
  };

  /// A gap is what later appends report when an earlier one was turned away.
  static bool mendable(ec code) {
    return code == ec::unavailable || code == ec::timeout || code == ec::busy || code == ec::moved || code == ec::fenced
        || code == ec::storage_full || code == ec::unknown_outcome || code == ec::producer_gap;
  }

  void send(append_chunk x) {
    auto seq = x.producer.seq;
    self_->request(stream_, timeout, std::move(x))
        .then([this, seq](const chunk_appended& done) { settle(seq, done); },
            [this, seq, round = round_](const caf::error& why) { failed(seq, round, why); });
  }

  void settle(uint64_t seq, const chunk_appended& done) {
    while (!waiting_.empty() && waiting_.front().append.producer.seq <= seq) {
      auto first = std::move(waiting_.front());
      waiting_.pop_front();
      if (first.done)
        first.done(done);
    }
  }

  void failed(uint64_t seq, uint64_t round, const caf::error& why) {
    if (round != round_ || pausing_)
      return; // everything is sent again anyway
    bool oldest = !waiting_.empty() && waiting_.front().append.producer.seq == seq;
    bool lost = oldest && code_of(why) == ec::producer_gap; // what was acknowledged before is not there any more
    if (lost || !mendable(code_of(why))) {
      on_refused_(why);
      return;
    }
    log::warning("generation", "append_failed", path_ + ": " + to_string(code_of(why)) + ", trying again");
    pausing_ = true;
    self_->delayed_send(self_, pause, resend_appends{which_});
  }

  Self self_;
  generation_stream which_;
  directory_actor directory_;
  std::string path_;
  std::string content_type_;
  std::string user_id_;
  stream_actor stream_;
  std::string producer_;
  uint64_t epoch_ = 0;
  uint64_t next_seq_ = 0;
  uint64_t round_ = 0;
  bool pausing_ = false;
  std::deque<waiting_append> waiting_;
  refused on_refused_;
};

} // namespace segue
