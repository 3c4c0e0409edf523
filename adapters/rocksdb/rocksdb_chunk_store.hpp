// Streams in RocksDB: the embedded log. One column family for each kind of row.
#pragma once

#include "adapters/ports.hpp"
#include "adapters/rocksdb/folder_lock.hpp"
#include "adapters/rocksdb/layout.hpp"
#include "adapters/rocksdb/room_maker.hpp"

#include <rocksdb/db.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <shared_mutex>

namespace segue::rocksdb_engine {

struct options {
  std::filesystem::path folder;
  uint64_t reserve_bytes = 64 << 20; ///< appends are refused when the file system has less free space than this
};

class rocksdb_chunk_store final : public chunk_store {
public:
  /// Opens or creates the store. Throws `adapter_error` when that is not possible.
  explicit rocksdb_chunk_store(options where);
  ~rocksdb_chunk_store() override;

  std::vector<write_outcome> commit(std::span<const stream_write> writes) override;
  std::optional<stream_row> load_row(const std::string& path) override;
  std::optional<stream_row> load_row(stream_id id) override;
  std::vector<chunk> load_chunks(stream_id id, position after, uint64_t limit) override;
  std::vector<stream_row> load_expiring(stream_id above, size_t limit) override;

  /// Closes and opens again: after a failed write RocksDB accepts nothing more.
  void reopen() override;

private:
  class transaction;

  static constexpr const char* last_id_key = "last_id";

  /// `due`: the ids of streams that expire some day. `forks` is there since the first version, and empty.
  enum family : size_t { meta, names, streams, chunks, producers, forks, due, family_count };

  void open();
  void read_counts();
  void close();
  void probe() const;
  bool has_room();
  rocksdb::ColumnFamilyHandle* in(family x) const { return families_[x]; }
  std::optional<std::string> get(family where, const std::string& key) const;
  std::optional<stream_row> read_row(stream_id id) const;
  std::vector<producer_tag> load_producers(stream_id id) const;

  options options_;
  std::optional<folder_lock> lock_; ///< from the first opening on
  std::shared_mutex mutex_; ///< shared by everyone who uses the database, exclusive while it is reopened
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  stream_id last_id_ = 0;
  size_t count_ = 0; ///< streams of applications
  std::chrono::steady_clock::time_point look_again_; ///< for free space
  uint64_t written_ = 0;                              ///< bytes since it was looked for
  garbage_collection garbage_;
  room_maker room_;
  std::map<stream_id, stream_row> known_; ///< what `commit` remembers
};

} // namespace segue::rocksdb_engine
