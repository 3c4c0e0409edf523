#include "adapters/chunk_reading.hpp"

#include "adapters/host.hpp"

namespace segue {

namespace {

/// Adds what one holder has, until `limit` bytes are there; the records end, or are cut, where the next one begins. False:
/// it has not what it should have.
bool add_chunks(chunk_store& engine, const ancestor& holder, position after, uint64_t limit, std::vector<chunk>& all) {
  auto at = all.empty() ? after : all.back().end();
  auto found = engine.load_chunks(holder.id, at, limit);
  // A fork begins before its parent ends; and what became durable after the stream passed this on lies beyond its tail.
  while (!found.empty() && found.back().start >= holder.until)
    found.pop_back();
  if (found.empty() || found.front().start > at)
    return false;
  if (found.back().end() > holder.until) {
    auto head = found.back().until(holder.until);
    if (!head)
      return false;
    found.back() = std::move(*head);
  }
  if (!all.empty() && found.front().start < at) { // a fork of a fork may begin inside a record of its ancestor
    auto rest = found.front().from(at);
    if (!rest)
      return false;
    found.front() = std::move(*rest);
  }
  all.insert(all.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  return true;
}

} // namespace

caf::result<stream_loaded> load(chunk_store& engine, const load_stream& x) {
  auto row = guarded("reading a stream", [&] { return engine.load_row(x.path); });
  if (!row)
    return row.error();
  if (!*row)
    return caf::make_error(ec::not_found, "there is no stream " + x.path);
  return stream_loaded{std::move(**row)};
}

caf::result<streams_listed> load(chunk_store& engine, const list_expiring& x) {
  auto rows = guarded("listing what expires", [&] { return engine.load_expiring(x.above, x.limit); });
  if (!rows)
    return rows.error();
  return streams_listed{std::move(*rows)};
}

caf::result<chunk_batch> load(chunk_store& engine, const load_chunks& x) {
  std::vector<chunk> all;
  uint64_t size = 0;
  for (const auto& holder : x.holders) {
    auto at = all.empty() ? x.after : all.back().end();
    if (at >= holder.until)
      continue;
    if (!all.empty() && size >= x.limit)
      break;
    auto added = guarded("reading chunks", [&] { return add_chunks(engine, holder, x.after, x.limit - size, all); });
    if (!added)
      return added.error();
    if (!*added)
      return caf::make_error(ec::corrupt, "no record holds position " + std::to_string(at));
    size = all.back().end() - x.after;
    if (all.back().end() < holder.until)
      break;
  }
  if (all.empty())
    return caf::make_error(ec::corrupt, "no record holds position " + std::to_string(x.after));
  auto first = all.front().from(x.after);
  if (!first)
    return caf::make_error(ec::bad_offset, std::string{"the offset lies inside a message"});
  all.front() = std::move(*first);
  auto next = all.back().end();
  return chunk_batch{std::move(all), next, x.tail, x.closed};
}

} // namespace segue
