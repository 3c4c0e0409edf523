// How many readers of one stream share few reads of its owner: one that waits at the tail, and one of what lies behind it.
// A plain class: it says what to ask, is told what came, and tells who gets what.
#pragma once

#include "actors/errors.hpp"
#include "actors/messages/log.hpp"
#include "actors/stream/ring.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace segue {

/// The reads of the owner that may be under way at a time, one of each. With one for both, who comes late would have to wait
/// for the next sound before hearing the sound that is there.
enum class shared_read {
  tail, ///< waits for what comes
  past, ///< answers at once
};

/// `Ticket` is what is kept of whoever reads: a promise; in tests, a number. `Time` is a point in time.
template <class Ticket, class Time>
class shared_reading {
public:
  struct reader {
    position after = 0;
    uint64_t limit = 0;
    bool waits = false; ///< at the tail, until `deadline`; else it is answered at once
    Time deadline;
    Ticket ticket;
    bool at_tail = false; ///< the owner has nothing behind its position, as far as is known
  };

  /// Who is answered, and how.
  struct outcome {
    std::vector<std::pair<Ticket, chunk_batch>> answers;
    std::vector<std::pair<Ticket, caf::error>> refusals;
  };

  /// `lingers`: when nobody waits at the tail any more, it is read once more, for whoever comes back in a moment; and once it is
  /// closed, nobody is asked for its end. Not so for a stream that lives from being used: its owner has to hear of each use.
  shared_reading(size_t ring_bytes, size_t most_readers, bool lingers = true)
      : ring_bytes_(ring_bytes), ring_(ring_bytes), most_(most_readers), may_linger_(lingers) {}

  /// Whether every append is heard of as soon as it is made: what is known of the end is what there is.
  bool follows() const { return (asked(shared_read::tail) && !told_closed_) || (closed_ && may_linger_); }

  position tail() const { return tail_; }
  bool closed() const { return closed_; }
  size_t waiting() const { return readers_.size(); }
  bool asked(shared_read which) const { return which == shared_read::tail ? asked_tail_.has_value() : asked_past_.has_value(); }

  /// Somebody has appended up to there, or closed it, and knows it before what was asked of the owner has come.
  void told(position tail, bool closed) {
    tail_ = std::max(tail_, tail);
    told_closed_ = told_closed_ || closed;
  }

  /// Somebody wants to read.
  outcome offer(reader x) {
    outcome out;
    if (closed_ && may_linger_ && x.after == tail_) {
      out.answers.emplace_back(std::move(x.ticket), end_at(x.after));
    } else if (follows() && ring_.holds(x.after)) {
      answer(out, ring_, x);
    } else if (readers_.size() >= most_) {
      out.refusals.emplace_back(std::move(x.ticket), caf::make_error(ec::busy, std::string{"too many readers wait for this stream"}));
    } else if (head_ == x.after && tail_ <= x.after && !x.waits && follows()) {
      out.answers.emplace_back(std::move(x.ticket), end_at(x.after));
    } else {
      x.at_tail = x.waits && head_ == x.after && !closed_;
      readers_.push_back(std::move(x));
    }
    return out;
  }

  /// What to ask the owner now, which then is under way.
  std::optional<read_chunks> next(shared_read which, uint32_t wait_ms = 30'000) {
    bool at_tail = which == shared_read::tail;
    auto first = std::find_if(readers_.begin(), readers_.end(), [&](const reader& x) { return x.at_tail == at_tail; });
    bool wanted = first != readers_.end();
    bool nothing_to_come = !head_ || (closed_ && *head_ >= tail_);
    if (asked(which) || (at_tail && nothing_to_come) || !(wanted || (at_tail && lingers_)))
      return std::nullopt;
    uint64_t limit = 1;
    for (const auto& x : readers_)
      if (x.at_tail == at_tail)
        limit = std::max(limit, x.limit);
    limit = std::min(limit, largest_);
    if (!at_tail) {
      asked_past_ = first->after;
      return read_chunks{first->after, limit, 0};
    }
    lingers_ = wanted && may_linger_;
    asked_tail_ = *head_;
    tail_limit_ = wanted ? limit : tail_limit_;
    return read_chunks{*head_, tail_limit_, wait_ms};
  }

  /// The owner has answered.
  outcome arrived(shared_read which, const chunk_batch& batch) {
    auto from = *std::exchange(slot(which), std::nullopt);
    tail_ = std::max(tail_, batch.tail);
    closed_ = closed_ || batch.closed;
    if (which == shared_read::tail || (!asked_tail_ && batch.up_to_date()))
      remember(from, batch);
    ring page{SIZE_MAX};
    for (const auto& x : batch.chunks)
      page.push(x);
    outcome out;
    take([&](reader& x) {
      if (page.holds(x.after))
        answer(out, page, x);
      else if (closed_ && x.after == tail_)
        out.answers.emplace_back(std::move(x.ticket), end_at(x.after));
      else if (which == shared_read::past && x.after == from && !x.waits)
        out.answers.emplace_back(std::move(x.ticket), chunk_batch{{}, from, std::max(batch.tail, from), false});
      else
        return false;
      return true;
    });
    for (auto& x : readers_) {
      x.at_tail = x.at_tail || (which == shared_read::past && x.after == from);
      x.at_tail = x.at_tail && head_ && x.after >= *head_; // else the tail was read past it
    }
    return out;
  }

  /// The owner has refused. What is wrong with one position is not wrong with others.
  outcome failed(shared_read which, const caf::error& why) {
    auto from = *std::exchange(slot(which), std::nullopt);
    bool of_position = code_of(why) == ec::bad_offset;
    outcome out;
    take([&](reader& x) {
      bool asked_for = x.at_tail == (which == shared_read::tail) && (!of_position || x.after == from);
      if (asked_for)
        out.refusals.emplace_back(std::move(x.ticket), why);
      return asked_for;
    });
    return out;
  }

  /// Whose time at the tail is over hears that nothing came.
  outcome expire(Time now) {
    outcome out;
    take([&](reader& x) {
      if (!x.at_tail || x.deadline > now)
        return false;
      out.answers.emplace_back(std::move(x.ticket), chunk_batch{{}, x.after, std::max(tail_, x.after), false});
      return true;
    });
    return out;
  }

  /// When the first one's time is over; `Time::max()`: nobody waits at the tail.
  Time next_deadline() const {
    auto next = Time::max();
    for (const auto& x : readers_)
      if (x.at_tail)
        next = std::min(next, x.deadline);
    return next;
  }

  /// Nothing more will come: everybody who waits.
  outcome abandon(const caf::error& why) {
    outcome out;
    take([&](reader& x) {
      out.refusals.emplace_back(std::move(x.ticket), why);
      return true;
    });
    return out;
  }

private:
  static constexpr uint64_t largest_ = 1 << 20; ///< asked for in one read

  std::optional<position>& slot(shared_read which) { return which == shared_read::tail ? asked_tail_ : asked_past_; }

  chunk_batch end_at(position at) const { return {{}, at, std::max(tail_, at), closed_}; }

  void answer(outcome& out, const ring& from, reader& x) {
    auto records = from.read(x.after, x.limit);
    if (!records) {
      out.refusals.emplace_back(std::move(x.ticket), caf::make_error(ec::bad_offset, std::string{"the offset lies inside a message"}));
      return;
    }
    auto next = records->back().end();
    out.answers.emplace_back(std::move(x.ticket), chunk_batch{std::move(*records), next, std::max(tail_, next), closed_});
  }

  /// The newest records are kept for those who come a little later. They must follow one another.
  void remember(position from, const chunk_batch& batch) {
    if (head_ != from)
      ring_ = ring{ring_bytes_};
    for (const auto& x : batch.chunks)
      ring_.push(x);
    head_ = batch.next;
  }

  template <class Leaves>
  void take(Leaves leaves) {
    std::vector<reader> stay;
    for (auto& x : readers_)
      if (!leaves(x))
        stay.push_back(std::move(x));
    readers_ = std::move(stay);
  }

  size_t ring_bytes_;
  ring ring_;
  size_t most_;
  bool may_linger_;
  std::vector<reader> readers_; ///< in the order they came
  std::optional<position> head_; ///< where the tail is read on: the end of the ring
  std::optional<position> asked_tail_;
  std::optional<position> asked_past_;
  bool lingers_ = false;     ///< somebody waited at the tail: one more read
  uint64_t tail_limit_ = 1;  ///< of the read at the tail
  position tail_ = 0;
  bool closed_ = false;
  bool told_closed_ = false; ///< as those say who appended
};

} // namespace segue
