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

/// Adds the record to the one before it, if both are but bytes, and lie side by side in the file of pages. Whether it did.
bool join(chunk& before, const chunk& record) {
  return record.bytes.file() >= 0 && before.lengths.empty() && record.lengths.empty() && before.bytes.join(record.bytes);
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
  auto& there = stream.kept;
  bool is_next = there.empty() || there.back().end() == record.start;
  if (!is_next && !make_way(stream, record))
    return;
  bytes_ += cost(record);
  there.push_back(record);
}

/// Whether the record is to be kept; then it is the next one.
bool memory_chunk_cache::make_way(cached_stream& stream, const chunk& record) {
  auto& there = stream.kept;
  auto same = find(there, record.start);
  if (same != there.end() && same->start == record.start && same->bytes == record.bytes && same->lengths == record.lengths)
    return false;
  if (record.end() <= there.front().start)
    return false; // older than what is kept
  while (!there.empty() && there.back().end() > record.start)
    drop_last(stream);
  if (!there.empty() && there.back().end() != record.start)
    while (!there.empty())
      drop_last(stream);
  return true;
}

void memory_chunk_cache::drop_last(cached_stream& stream) {
  bytes_ -= cost(stream.kept.back());
  stream.kept.pop_back();
}

std::vector<chunk> memory_chunk_cache::get(stream_id id, position after, uint64_t limit, bool joined) {
  auto found = look(id, after, limit, joined);
  auto shared = share(found);
  if (!shared.empty())
    replace(id, found, shared);
  return shared.empty() ? found : shared;
}

std::vector<chunk> memory_chunk_cache::look(stream_id id, position after, uint64_t limit, bool joined) {
  std::lock_guard lock{mutex_};
  std::vector<chunk> found;
  auto stream = streams_.find(id);
  if (stream == streams_.end())
    return found;
  const auto& there = stream->second.kept;
  uint64_t size = 0;
  size_t count = 0;
  for (auto at = find(there, after); at != there.end() && (count > 0 || at->start == after); ++at) {
    if (count == chunk_store::most_records || (count > 0 && size + at->bytes.size() > limit))
      break;
    ++count;
    size += at->bytes.size();
    if (!joined || found.empty() || !join(found.back(), *at))
      found.push_back(*at);
  }
  if (!found.empty())
    use(stream->second);
  return found;
}

/// The same with what was not yet in the file of pages there, if it is much; else none. Takes its time: the writer must not wait for it.
std::vector<chunk> memory_chunk_cache::share(std::vector<chunk> records) {
  std::vector<payload> elsewhere;
  uint64_t size = 0;
  for (const auto& x : records)
    if (x.bytes.file() < 0) {
      elsewhere.push_back(x.bytes);
      size += x.bytes.size();
    }
  if (size < worth_a_page_file)
    return {};
  auto moved = pages_.add(elsewhere);
  if (moved.empty())
    return {};
  auto next = moved.begin();
  for (auto& x : records)
    if (x.bytes.file() < 0)
      x.bytes = std::move(*next++);
  return records;
}

/// Puts the one in place of the other, as far as that is still there.
void memory_chunk_cache::replace(stream_id id, std::span<const chunk> found, std::span<const chunk> shared) {
  std::lock_guard lock{mutex_};
  auto stream = streams_.find(id);
  if (stream == streams_.end())
    return;
  auto& there = stream->second.kept;
  for (size_t i = 0; i < found.size(); ++i) {
    if (found[i].bytes.file() >= 0)
      continue; // it had been there
    auto at = find(there, found[i].start);
    if (at != there.end() && at->bytes.view().data() == found[i].bytes.view().data())
      at->bytes = shared[i].bytes;
  }
}

void memory_chunk_cache::forget(stream_id id) {
  std::lock_guard lock{mutex_};
  if (auto stream = streams_.find(id); stream != streams_.end())
    erase(stream);
}

void memory_chunk_cache::erase(streams::iterator stream) {
  for (const auto& record : stream->second.kept)
    bytes_ -= cost(record);
  by_use_.erase(stream->second.used);
  streams_.erase(stream);
}

void memory_chunk_cache::make_room() {
  while (bytes_ > most_bytes_) {
    auto stream = streams_.find(by_use_.front());
    auto& oldest = stream->second.kept.front();
    bytes_ -= cost(oldest);
    stream->second.kept.pop_front();
    if (stream->second.kept.empty())
      erase(stream);
  }
}

} // namespace segue::memory
