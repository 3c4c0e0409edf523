// Newest records in the memory of this process.
#pragma once

#include "adapters/ports.hpp"

#include <deque>
#include <list>
#include <mutex>
#include <unordered_map>

namespace segue::memory {

/// Bounded over all streams: of the stream that nobody has used for longest, the oldest records go first.
class memory_chunk_cache final : public chunk_cache {
public:
  explicit memory_chunk_cache(uint64_t most_bytes) : most_bytes_(most_bytes) {}

  /// What is there already stays; records that it contradicts give way, and those before a gap.
  void put(stream_id id, std::span<const chunk> records) override;
  std::vector<chunk> get(stream_id id, position after, uint64_t limit) override;
  void forget(stream_id id) override;
  bool in_memory() const override { return true; }

private:
  struct cached_stream {
    std::deque<chunk> records; ///< consecutive, never none
    std::list<stream_id>::iterator used;
  };
  using streams = std::unordered_map<stream_id, cached_stream>;

  void add(cached_stream& stream, const chunk& record);
  void drop_last(cached_stream& stream);
  void use(cached_stream& stream) { by_use_.splice(by_use_.end(), by_use_, stream.used); }
  void erase(streams::iterator stream);
  void make_room();

  std::mutex mutex_;
  uint64_t most_bytes_;
  uint64_t bytes_ = 0;
  streams streams_;
  std::list<stream_id> by_use_; ///< the one used last is the last
};

} // namespace segue::memory
