// Writes that become durable together.
#pragma once

#include "adapters/rocksdb/rocksdb_chunk_store.hpp"
#include "adapters/stream_rules.hpp"

#include <rocksdb/write_batch.h>

#include <map>

namespace segue::rocksdb_engine {

/// One batch of RocksDB; later writes see what earlier ones changed.
class rocksdb_chunk_store::transaction final : public stream_table {
public:
  explicit transaction(rocksdb_chunk_store& store);

  const stream_row* find(const std::string& path) override;
  const stream_row* find(stream_id id) override;
  std::vector<producer_tag> producers(stream_id id) override;
  size_t count() const override { return count_; }

  void insert(stream_row& row) override;
  void save(const stream_row& row) override;
  void put(stream_id id, const chunk& record) override;
  void put(stream_id id, const producer_tag& tag) override;
  void drop_chunks(stream_id id) override;
  void erase(const stream_row& row) override;

  /// Returns once all of it is durable.
  void write();

private:
  bool only_longer(const stream_row& row);
  void write_row(const stream_row& row);

  rocksdb_chunk_store& store_;
  rocksdb::WriteBatch batch_;
  stream_id last_id_;
  size_t count_;
  bool removes_ = false; ///< records
  std::map<std::string, stream_id> ids_; ///< 0: there is none
  std::map<stream_id, std::optional<stream_row>> rows_;
  new_producers producers_;
};

} // namespace segue::rocksdb_engine
