#include "adapters/memory/memory_chunk_store.hpp"

#include "actors/sound.hpp"

#include <mutex>

namespace segue::memory {

std::vector<write_outcome> memory_chunk_store::commit(std::span<const stream_write> writes) {
  std::unique_lock lock{mutex_};
  std::vector<write_outcome> outcomes;
  for (const auto& write : writes)
    outcomes.push_back(apply_write(*this, write));
  return outcomes;
}

const stream_row* memory_chunk_store::find(const std::string& path) {
  auto name = names_.find(path);
  return name == names_.end() ? nullptr : find(name->second);
}

const stream_row* memory_chunk_store::find(stream_id id) {
  auto stream = streams_.find(id);
  return stream == streams_.end() ? nullptr : &stream->second.row;
}

std::vector<producer_tag> memory_chunk_store::producers(stream_id id) {
  std::vector<producer_tag> found;
  for (const auto& [name, tag] : streams_[id].producers)
    found.push_back(tag);
  return found;
}

void memory_chunk_store::insert(stream_row& row) {
  row.id = ++last_id_;
  names_[row.path] = row.id;
  count_ += is_of_generation(row.path) ? 0 : 1;
  save(row);
}

void memory_chunk_store::erase(const stream_row& row) {
  count_ -= is_of_generation(row.path) ? 0 : 1;
  names_.erase(row.path);
  streams_.erase(row.id); // may be where `row` lives
}

std::optional<stream_row> memory_chunk_store::load_row(const std::string& path) {
  std::shared_lock lock{mutex_};
  const auto* row = find(path);
  return row ? std::optional{*row} : std::nullopt;
}

std::optional<stream_row> memory_chunk_store::load_row(stream_id id) {
  std::shared_lock lock{mutex_};
  const auto* row = find(id);
  return row ? std::optional{*row} : std::nullopt;
}

std::vector<stream_row> memory_chunk_store::load_expiring(stream_id above, size_t limit) {
  std::shared_lock lock{mutex_};
  std::vector<stream_row> found;
  for (auto at = streams_.upper_bound(above); at != streams_.end() && found.size() < limit; ++at)
    if (expires(at->second.row))
      found.push_back(at->second.row);
  return found;
}

std::vector<chunk> memory_chunk_store::load_chunks(stream_id id, position after, uint64_t limit) {
  std::shared_lock lock{mutex_};
  std::vector<chunk> found;
  auto stream = streams_.find(id);
  if (stream == streams_.end())
    return found;
  const auto& chunks = stream->second.chunks;
  auto at = chunks.upper_bound(after);
  if (at != chunks.begin())
    --at;
  uint64_t size = 0;
  auto fits = [&](const chunk& x) { return found.empty() || (found.size() < most_records && size + x.bytes.size() <= limit); };
  for (; at != chunks.end() && fits(at->second); ++at) {
    if (at->second.end() <= after)
      continue;
    size += at->second.bytes.size();
    found.push_back(at->second);
  }
  return found;
}

} // namespace segue::memory
