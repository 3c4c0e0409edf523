// What every engine decides alike about a write to a stream. The contract suite holds each engine to it.
#pragma once

#include "actors/messages.hpp"

namespace segue {

/// A row for a stream that did not exist.
inline stream_row new_row(stream_id id, const create_stream& x) {
  stream_row row;
  row.id = id;
  row.path = x.path;
  row.content_type = x.content_type;
  row.owner_epoch = 1;
  row.created_at_ms = x.now_ms;
  return row;
}

/// Whether the write may be applied to this row: compare-and-set on owner and tail.
inline ec judge(const stream_row& row, const put_chunks& x) {
  if (x.owner_epoch != row.owner_epoch || x.expected_tail != row.tail)
    return ec::fenced;
  return row.closed ? ec::closed : ec::none;
}

/// The row after a write that may be applied.
inline void apply(stream_row& row, const put_chunks& x) {
  if (!x.chunks.empty())
    row.tail = x.chunks.back().end();
  if (!x.stream_seq.empty())
    row.stream_seq = x.stream_seq;
  if (x.close) {
    row.closed = true;
    row.closed_by = x.closed_by;
  }
}

} // namespace segue
