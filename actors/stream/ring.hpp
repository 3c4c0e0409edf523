// The newest durable records of a stream, in memory, bounded in bytes.
#pragma once

#include "actors/chunk.hpp"

#include <deque>
#include <optional>

namespace segue {

class ring {
public:
  static constexpr size_t most_records = 4096; ///< in one answer: small ones cost more than their bytes

  /// Keeps at most `capacity` bytes, but always the newest record.
  explicit ring(size_t capacity) : capacity_(capacity) {}

  /// Adds the next record; it must begin where the last one ended.
  void push(chunk next);

  /// Whether the record that holds `at` is here.
  bool holds(position at) const { return !records_.empty() && at >= records_.front().start && at < records_.back().end(); }

  /// Records from `at` on, the first one cut to begin there: at least one, at most about `limit` bytes and `most_records`. Nothing
  /// when `at` lies inside a message. Requires `holds(at)`.
  std::optional<std::vector<chunk>> read(position at, uint64_t limit) const;

  size_t bytes() const { return bytes_; }

private:
  size_t capacity_;
  size_t bytes_ = 0;
  std::deque<chunk> records_;
};

} // namespace segue
