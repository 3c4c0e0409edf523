#include "adapters/memory/memory_chunk_cache.hpp"

#include <algorithm>

namespace segue::memory {

namespace {

/// What a record costs, with all that belongs to it.
uint64_t cost(const chunk& x) { return sizeof(chunk) + x.bytes.size() + x.lengths.size() * sizeof x.lengths[0]; }

/// The first record that begins at this position or behind it.
template <class Records>
auto find(Records& records, position at) {
  return std::lower_bound(records.begin(), records.end(), at, [](const chunk& x, position y) { return x.start < y; });
}

} // namespace

void memory_chunk_cache::put(stream_id id, std::span<const chunk> records) {
  if (records.empty())
    return;
  std::lock_guard lock{mutex_};
  auto [stream, fresh] = streams_.try_emplace(id);
  if (fresh)
    stream->second.used = by_use_.insert(by_use_.end(), id);
  use(stream->second);
  for (const auto& record : records)
    add(stream->second, record);
  make_room();
}

void memory_chunk_cache::add(cached_stream& stream, const chunk& record) {
  auto& there = stream.records;
  auto same = find(there, record.start);
  if (same != there.end() && same->start == record.start && same->bytes == record.bytes && same->lengths == record.lengths)
    return;
  if (!there.empty() && record.end() <= there.front().start)
    return; // older than what is kept
  while (!there.empty() && there.back().end() > record.start)
    drop_last(stream);
  if (!there.empty() && there.back().end() != record.start)
    while (!there.empty())
      drop_last(stream);
  bytes_ += cost(record);
  there.push_back(record);
}

void memory_chunk_cache::drop_last(cached_stream& stream) {
  bytes_ -= cost(stream.records.back());
  stream.records.pop_back();
}

std::vector<chunk> memory_chunk_cache::get(stream_id id, position after, uint64_t limit) {
  std::lock_guard lock{mutex_};
  std::vector<chunk> found;
  auto stream = streams_.find(id);
  if (stream == streams_.end())
    return found;
  const auto& there = stream->second.records;
  uint64_t size = 0;
  for (auto at = find(there, after); at != there.end() && (!found.empty() || at->start == after); ++at) {
    if (found.size() == chunk_store::most_records || (!found.empty() && size + at->bytes.size() > limit))
      break;
    size += at->bytes.size();
    found.push_back(*at);
  }
  if (!found.empty())
    use(stream->second);
  return found;
}

void memory_chunk_cache::forget(stream_id id) {
  std::lock_guard lock{mutex_};
  if (auto stream = streams_.find(id); stream != streams_.end())
    erase(stream);
}

void memory_chunk_cache::erase(streams::iterator stream) {
  for (const auto& record : stream->second.records)
    bytes_ -= cost(record);
  by_use_.erase(stream->second.used);
  streams_.erase(stream);
}

void memory_chunk_cache::make_room() {
  while (bytes_ > most_bytes_) {
    auto stream = streams_.find(by_use_.front());
    auto& oldest = stream->second.records.front();
    bytes_ -= cost(oldest);
    stream->second.records.pop_front();
    if (stream->second.records.empty())
      erase(stream);
  }
}

} // namespace segue::memory
