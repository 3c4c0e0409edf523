// Streams in plain maps: the reference model of the contract, and `memory:` for trying things out.
#pragma once

#include "adapters/stream_rules.hpp"

#include <map>
#include <shared_mutex>

namespace segue::memory {

/// Nothing survives the process.
class memory_chunk_store final : public chunk_store, private stream_table {
public:
  std::vector<write_outcome> commit(std::span<const stream_write> writes) override;
  std::optional<stream_row> load_row(const std::string& path) override;
  std::optional<stream_row> load_row(stream_id id) override;
  std::vector<chunk> load_chunks(stream_id id, position after, uint64_t limit) override;
  std::vector<stream_row> load_expiring(stream_id above, size_t limit) override;
  void reopen() override {}

private:
  struct stored_stream {
    stream_row row;
    std::map<position, chunk> chunks;
    std::map<std::string, producer_tag> producers;
  };

  // -- stream_table
  const stream_row* find(const std::string& path) override;
  const stream_row* find(stream_id id) override;
  std::vector<producer_tag> producers(stream_id id) override;
  size_t count() const override { return count_; }
  void insert(stream_row& row) override;
  void save(const stream_row& row) override { streams_[row.id].row = row; }
  void put(stream_id id, const chunk& record) override { streams_[id].chunks[record.start] = record; }
  void put(stream_id id, const producer_tag& tag) override { streams_[id].producers[tag.id] = tag; }
  void drop_chunks(stream_id id) override { streams_[id].chunks.clear(); }
  void erase(const stream_row& row) override;

  std::shared_mutex mutex_;
  stream_id last_id_ = 0;
  size_t count_ = 0;
  std::map<std::string, stream_id> names_;
  std::map<stream_id, stored_stream> streams_;
};

} // namespace segue::memory
