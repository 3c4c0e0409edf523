// The appends of one stream between their acceptance and their durability: judged against what is durable plus what is
// pending, sent to the store in order, and answered when the store has told. A plain class.
#pragma once

#include "actors/stream/producers.hpp"

#include <algorithm>
#include <deque>
#include <map>

namespace segue {

/// What becomes of an append that is offered.
struct append_verdict {
  enum class kind {
    accept, ///< `push` it
    join,   ///< it repeats a pending one: `join` it, both are answered together
    answer, ///< it repeats a durable one: `reply` says so
    refuse, ///< `code` and `detail` say why
  } what = kind::accept;
  chunk_appended reply;
  ec code = ec::none;
  std::string detail;
};

/// `Ticket` is what is kept of whoever waits for an append: a promise; in tests, a number.
template <class Ticket>
class append_queue {
public:
  struct answered {
    Ticket ticket;
    chunk_appended reply;
  };

  /// What a store's answer settles.
  struct settlement {
    std::vector<chunk> records; ///< durable now, in order
    std::vector<answered> answers;
  };

  explicit append_queue(size_t most_bytes = 0) : most_bytes_(most_bytes) {}

  /// Starts from what the store knows.
  void load(const stream_row& row, const std::vector<producer_tag>& known) {
    durable_producers_.load(known);
    producers_ = durable_producers_;
    durable_seq_ = stream_seq_ = row.stream_seq;
  }

  bool empty() const { return pending_.empty(); }

  /// How many bytes are pending.
  size_t bytes() const { return bytes_; }

  /// How many producers have written, not counting this one.
  size_t producers_beside(const std::string& id) const { return producers_.size() - (producers_.last(id) ? 1 : 0); }
  size_t size() const { return pending_.size(); }

  /// Changes nothing. Closed goes before type, type before sequence.
  append_verdict judge(const stream_row& row, const append_chunk& x) const {
    if (x.bytes.empty() && !x.close)
      return refuse(ec::invalid_argument, "an append needs bytes");
    if (row.closed || closing())
      return judge_closed(row, x);
    if (!x.content_type.empty() && x.content_type != row.content_type)
      return refuse(ec::wrong_type, "this stream is of type " + row.content_type);
    if (!x.producer.id.empty()) {
      auto last = producers_.last(x.producer.id);
      switch (producers_.judge(x.producer)) {
        case producers::verdict::duplicate:
          if (find(x.producer) != pending_.end())
            return {append_verdict::kind::join, {}, ec::none, {}};
          return {append_verdict::kind::answer,
              {row.tail, true, row.closed, durable_producers_.last(x.producer.id)->seq}, ec::none, {}};
        case producers::verdict::stale:
          return refuse(ec::stale_producer, std::to_string(last->epoch));
        case producers::verdict::bad_start:
          return refuse(ec::invalid_argument, "a new producer epoch begins with sequence number 0");
        case producers::verdict::gap:
          return refuse(ec::producer_gap, std::to_string(last ? last->seq + 1 : 0));
        case producers::verdict::accepted:
          break;
      }
    }
    if (!x.stream_seq.empty() && x.stream_seq <= stream_seq_)
      return refuse(ec::conflict, "Stream-Seq must be greater than " + stream_seq_);
    if (x.at != anywhere && x.at != end(row))
      return refuse(ec::conflict, "the stream ends at " + format_offset(end(row)));
    if (bytes_ + x.bytes.size() > most_bytes_ && !pending_.empty())
      return refuse(ec::busy, "too many bytes wait to be stored");
    return {};
  }

  /// An append that was judged `accept`.
  void push(const stream_row& row, const append_chunk& x, Ticket ticket) {
    if (!x.producer.id.empty())
      producers_.accept(x.producer);
    if (!x.stream_seq.empty())
      stream_seq_ = x.stream_seq;
    bytes_ += x.bytes.size();
    pending_.push_back({chunk{end(row), x.bytes, x.lengths}, x.producer, x.stream_seq, x.close, std::move(ticket), {}});
  }

  /// An append that was judged `join`.
  void join(const append_chunk& x, Ticket ticket) {
    auto earlier = x.producer.id.empty() ? std::prev(pending_.end()) : find(x.producer);
    earlier->repetitions.push_back(std::move(ticket));
  }

  /// One write of what is pending, from the front, of about `most` bytes at the most.
  put_chunks next_write(const stream_row& row, size_t most) const {
    put_chunks put{row.id, row.owner_epoch, row.tail, {}, {}, {}, false, {}};
    std::map<std::string, producer_tag> newest;
    size_t bytes = 0;
    for (const auto& x : pending_) {
      if (bytes > 0 && bytes + x.record.bytes.size() > most)
        break;
      bytes += x.record.bytes.size();
      if (!x.record.bytes.empty())
        put.chunks.push_back(x.record);
      if (!x.producer.id.empty())
        newest[x.producer.id] = x.producer;
      if (!x.stream_seq.empty())
        put.stream_seq = x.stream_seq;
      if (x.close) {
        put.close = true;
        put.closed_by = x.producer;
      }
    }
    for (auto& [id, tag] : newest)
      put.producers.push_back(std::move(tag));
    return put;
  }

  /// The store holds `durable`: what lies before its tail is settled and leaves the queue.
  settlement settle(const stream_row& durable) {
    settlement result;
    while (!pending_.empty()) {
      auto& x = pending_.front();
      bool only_closes = x.record.bytes.empty();
      bool stored = only_closes ? durable.closed && x.record.end() == durable.tail : x.record.end() <= durable.tail;
      if (!stored)
        break;
      if (!x.producer.id.empty())
        durable_producers_.accept(x.producer);
      if (!x.stream_seq.empty())
        durable_seq_ = x.stream_seq;
      chunk_appended reply{x.record.end(), false, x.close, x.producer.seq};
      result.answers.push_back({std::move(x.ticket), reply});
      reply.duplicate = true;
      for (auto& ticket : x.repetitions)
        result.answers.push_back({std::move(ticket), reply});
      bytes_ -= x.record.bytes.size();
      if (!only_closes)
        result.records.push_back(std::move(x.record));
      pending_.pop_front();
    }
    return result;
  }

  /// None of what is pending will be stored: it counts no more. Everybody who waits for it.
  std::vector<Ticket> abandon() {
    std::vector<Ticket> waiting;
    for (auto& x : pending_) {
      waiting.push_back(std::move(x.ticket));
      for (auto& ticket : x.repetitions)
        waiting.push_back(std::move(ticket));
    }
    pending_.clear();
    bytes_ = 0;
    producers_ = durable_producers_;
    stream_seq_ = durable_seq_;
    return waiting;
  }

private:
  struct pending_append {
    chunk record;
    producer_tag producer;
    std::string stream_seq;
    bool close = false;
    Ticket ticket;
    std::vector<Ticket> repetitions;
  };

  static append_verdict refuse(ec code, std::string detail) {
    return {append_verdict::kind::refuse, {}, code, std::move(detail)};
  }

  /// Where the next append begins.
  position end(const stream_row& row) const { return pending_.empty() ? row.tail : pending_.back().record.end(); }

  bool closing() const { return !pending_.empty() && pending_.back().close; }

  auto find(const producer_tag& tag) const {
    return std::find_if(pending_.begin(), pending_.end(), [&](const auto& x) { return x.producer == tag; });
  }
  auto find(const producer_tag& tag) {
    return std::find_if(pending_.begin(), pending_.end(), [&](const auto& x) { return x.producer == tag; });
  }

  /// What is still allowed once a stream is closed, or about to be: repeating what closed it. As long as the store may still
  /// refuse the close, nobody is told that it is.
  append_verdict judge_closed(const stream_row& row, const append_chunk& x) const {
    bool by_producer = !x.producer.id.empty();
    const auto& closed_by = row.closed ? row.closed_by : pending_.back().producer;
    if (by_producer ? x.producer == closed_by : x.close && x.bytes.empty()) {
      if (row.closed)
        return {append_verdict::kind::answer, {row.tail, true, true, x.producer.seq}, ec::none, {}};
      return {append_verdict::kind::join, {}, ec::none, {}};
    }
    if (by_producer && producers_.judge(x.producer) == producers::verdict::stale)
      return refuse(ec::stale_producer, std::to_string(producers_.last(x.producer.id)->epoch));
    return row.closed ? refuse(ec::closed, format_offset(row.tail)) : refuse(ec::busy, "the stream is being closed");
  }

  size_t most_bytes_;
  size_t bytes_ = 0;
  std::deque<pending_append> pending_;
  producers producers_;    ///< with what is pending
  std::string stream_seq_; ///< likewise: the newest accepted
  producers durable_producers_;
  std::string durable_seq_;
};

} // namespace segue
