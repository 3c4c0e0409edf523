#include "adapters/chunk_reading.hpp"

#include "actors/log.hpp"
#include "adapters/host.hpp"

namespace segue {

namespace {

/// What came of asking one holder.
enum class found { records, nothing, archived };

std::vector<chunk> read_cache(chunk_cache& cache, stream_id id, position at, uint64_t limit, bool joined) {
  return joined ? cache.get_joined(id, at, limit) : cache.get(id, at, limit);
}

std::vector<chunk> read_tiers(const chunk_tiers& tiers, stream_id id, position at, uint64_t limit, bool joined) {
  if (tiers.cache)
    if (auto recent = read_cache(*tiers.cache, id, at, limit, joined); !recent.empty()) {
      tiers.counters->reads_cache.Increment();
      return recent;
    }
  auto records = tiers.store->load_chunks(id, at, limit);
  if (records.empty())
    return records;
  tiers.counters->reads_store.Increment();
  if (!tiers.cache || !tiers.cache->in_memory())
    return records;
  tiers.cache->put(id, records); // who plays it now is rarely alone
  auto kept = read_cache(*tiers.cache, id, at, limit, joined);
  return kept.empty() ? records : kept;
}

/// Whether an object has what the store should have.
bool is_archived(chunk_store& store, stream_id id) {
  auto row = store.load_row(id);
  return row && row->archive == archive_state::evicted;
}

/// Adds what one holder has, beside `size` bytes that are there; the records end, or are cut, where the next one begins.
found add_chunks(const chunk_tiers& tiers, const ancestor& holder, const load_chunks& x, uint64_t size, std::vector<chunk>& all) {
  auto at = all.empty() ? x.after : all.back().end();
  auto read = [&] { return read_tiers(tiers, holder.id, at, x.limit - size, x.joined); };
  auto records = read();
  if (records.empty() && is_archived(*tiers.store, holder.id))
    return found::archived;
  if (records.empty()) // they may have come back between the two questions
    records = read();
  // A fork begins before its parent ends; and what became durable after the stream passed this on lies beyond its tail.
  while (!records.empty() && records.back().start >= holder.until)
    records.pop_back();
  if (records.empty() || records.front().start > at)
    return found::nothing;
  if (records.back().end() > holder.until) {
    auto head = records.back().until(holder.until);
    if (!head)
      return found::nothing;
    records.back() = std::move(*head);
  }
  if (!all.empty() && records.front().start < at) { // a fork of a fork may begin inside a record of its ancestor
    auto rest = records.front().from(at);
    if (!rest)
      return found::nothing;
    records.front() = std::move(*rest);
  }
  all.insert(all.end(), std::make_move_iterator(records.begin()), std::make_move_iterator(records.end()));
  return found::records;
}

/// A stream that was removed meanwhile is gone with its records; one that is there has lost something.
caf::error missing(chunk_store& store, const ancestor& holder, position at) {
  auto row = guarded("reading a stream", [&] { return store.load_row(holder.id); });
  if (!row)
    return row.error();
  if (!*row)
    return caf::make_error(ec::moved);
  auto what = "no record of " + (*row)->path + " holds position " + std::to_string(at);
  log::error("host", "corrupt", what);
  return caf::make_error(ec::corrupt, what);
}

/// The rest of the request, for the store of objects.
caf::expected<found_chunks> ask_archive(chunk_store& store, const ancestor& holder, const load_chunks& x) {
  auto row = store.load_row(holder.id);
  if (!row)
    return caf::make_error(ec::moved);
  return found_chunks{load_archived{row->path, x.after, holder.until, x.limit, x.tail, x.closed}};
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

caf::expected<found_chunks> load(const chunk_tiers& tiers, const load_chunks& x) {
  std::vector<chunk> all;
  uint64_t size = 0;
  for (const auto& holder : x.holders) {
    auto at = all.empty() ? x.after : all.back().end();
    if (at >= holder.until)
      continue;
    if (!all.empty() && size >= x.limit)
      break;
    auto added = guarded("reading chunks", [&] { return add_chunks(tiers, holder, x, size, all); });
    if (!added)
      return added.error();
    if (*added == found::nothing)
      return missing(*tiers.store, holder, at);
    if (*added == found::archived && all.empty()) {
      auto asked = guarded("reading chunks", [&] { return ask_archive(*tiers.store, holder, x); });
      return asked ? std::move(*asked) : asked.error();
    }
    if (*added == found::archived)
      break; // what is there comes first
    size = all.back().end() - x.after;
    if (all.back().end() < holder.until)
      break;
  }
  if (all.empty())
    return caf::make_error(ec::corrupt, "nobody holds position " + std::to_string(x.after));
  auto first = all.front().from(x.after);
  if (!first)
    return caf::make_error(ec::bad_offset, std::string{"the offset lies inside a message"});
  all.front() = std::move(*first);
  auto next = all.back().end();
  return found_chunks{chunk_batch{std::move(all), next, x.tail, x.closed}};
}

} // namespace segue
