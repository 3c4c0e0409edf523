#include "adapters/memory/memory_chunk_store.hpp"

#include "adapters/stream_rules.hpp"

#include <mutex>

namespace segue::memory {

std::vector<write_outcome> memory_chunk_store::commit(std::span<const stream_write> writes) {
  std::unique_lock lock{mutex_};
  std::vector<write_outcome> outcomes;
  for (const auto& write : writes)
    outcomes.push_back(std::visit([this](const auto& x) { return apply_write(x); }, write));
  return outcomes;
}

write_outcome memory_chunk_store::apply_write(const create_stream& x) {
  auto [name, created] = names_.try_emplace(x.path, last_id_ + 1);
  if (created) {
    ++last_id_;
    streams_[last_id_].row = new_row(last_id_, x);
  }
  return {ec::none, {streams_[name->second].row, created, {}}};
}

write_outcome memory_chunk_store::apply_write(const claim_stream& x) {
  auto name = names_.find(x.path);
  if (name == names_.end())
    return {ec::not_found, {}};
  auto& stream = streams_[name->second];
  ++stream.row.owner_epoch;
  write_outcome outcome{ec::none, {stream.row, false, {}}};
  for (const auto& [id, tag] : stream.producers)
    outcome.written.producers.push_back(tag);
  return outcome;
}

write_outcome memory_chunk_store::apply_write(const put_chunks& x) {
  auto at = streams_.find(x.id);
  if (at == streams_.end())
    return {ec::not_found, {}};
  auto& stream = at->second;
  if (auto refused = judge(stream.row, x); refused != ec::none)
    return {refused, {stream.row, false, {}}};
  for (const auto& record : x.chunks)
    stream.chunks[record.start] = record;
  for (const auto& tag : x.producers)
    stream.producers[tag.id] = tag;
  apply(stream.row, x);
  return {ec::none, {stream.row, false, {}}};
}

write_outcome memory_chunk_store::apply_write(const delete_stream& x) {
  if (auto name = names_.find(x.path); name != names_.end()) {
    streams_.erase(name->second);
    names_.erase(name);
  }
  return {};
}

std::optional<stream_row> memory_chunk_store::load_row(const std::string& path) {
  std::shared_lock lock{mutex_};
  auto name = names_.find(path);
  return name == names_.end() ? std::nullopt : std::optional{streams_[name->second].row};
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
  for (; at != chunks.end() && (found.empty() || size + at->second.bytes.size() <= limit); ++at) {
    if (at->second.end() <= after)
      continue;
    size += at->second.bytes.size();
    found.push_back(at->second);
  }
  return found;
}

} // namespace segue::memory
