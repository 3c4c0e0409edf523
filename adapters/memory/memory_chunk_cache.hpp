// Newest records in the memory of this process.
#pragma once

#include "adapters/memory/page_file.hpp"
#include "adapters/ports.hpp"

#include <deque>
#include <list>
#include <mutex>
#include <unordered_map>

namespace segue::memory {

/// Bounded over all streams: of the stream that nobody has used for longest, the oldest records go first. What is read in large
/// parts is read by many, mostly, and is put where sockets can send it from; its memory comes free when the last record of such a
/// part goes, so that one part more may be kept.
class memory_chunk_cache final : public chunk_cache {
public:
  explicit memory_chunk_cache(uint64_t most_bytes) : most_bytes_(most_bytes) {}

  /// What is there already stays; records that it contradicts give way, and those before a gap.
  void put(stream_id id, std::span<const chunk> records) override;
  std::vector<chunk> get(stream_id id, position after, uint64_t limit) override { return get(id, after, limit, false); }
  std::vector<chunk> get_joined(stream_id id, position after, uint64_t limit) override { return get(id, after, limit, true); }
  void forget(stream_id id) override;
  bool in_memory() const override { return true; }

private:
  struct cached_stream {
    std::deque<chunk> kept; ///< consecutive, never none
    std::list<stream_id>::iterator used;
  };
  using streams = std::unordered_map<stream_id, cached_stream>;

  static constexpr size_t worth_a_page_file = 64 << 10; ///< bytes read at a time

  std::vector<chunk> get(stream_id id, position after, uint64_t limit, bool joined);
  std::vector<chunk> look(stream_id id, position after, uint64_t limit, bool joined);
  std::vector<chunk> share(std::vector<chunk> records);
  void replace(stream_id id, std::span<const chunk> found, std::span<const chunk> shared);
  void add(cached_stream& stream, const chunk& record);
  bool make_way(cached_stream& stream, const chunk& record);
  void drop_last(cached_stream& stream);
  void use(cached_stream& stream) { by_use_.splice(by_use_.end(), by_use_, stream.used); }
  void erase(streams::iterator stream);
  void make_room();

  std::mutex mutex_;
  page_file pages_;
  uint64_t most_bytes_;
  uint64_t bytes_ = 0;
  streams streams_;
  std::list<stream_id> by_use_; ///< the one used last is the last
};

} // namespace segue::memory
