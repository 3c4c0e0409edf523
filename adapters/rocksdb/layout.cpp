#include "adapters/rocksdb/layout.hpp"

#include <rocksdb/table.h>

namespace segue::rocksdb_engine {

namespace {

constexpr uint64_t smallest_blob = 512; ///< shorter records lie beside their keys

} // namespace

rocksdb::Options database_options() {
  rocksdb::Options how;
  how.create_if_missing = true;
  how.create_missing_column_families = true;
  how.keep_log_file_num = 2;
  how.max_open_files = 256;
  how.max_total_wal_size = 64 << 20;
  how.allow_concurrent_memtable_write = false; // there is one writer
  how.stats_dump_period_sec = 0;
  how.advise_random_on_open = false; // pieces are read from end to end: the kernel may read ahead
  how.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords; // a torn tail was never acknowledged
  return how;
}

std::vector<rocksdb::ColumnFamilyDescriptor> column_families() {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(16 << 20);
  rocksdb::ColumnFamilyOptions family;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  family.write_buffer_size = 8 << 20;
  family.compression = rocksdb::kNoCompression; // sound is compressed already
  // Nearly all the bytes are records. They are written to files of their own, and compactions merge their keys alone. Where much
  // was removed, `garbage_collection` has them write what is left in the older half of the files anew, so that these can go.
  auto of_chunks = family;
  of_chunks.enable_blob_files = true;
  of_chunks.min_blob_size = smallest_blob;
  of_chunks.blob_garbage_collection_age_cutoff = 0.5;
  of_chunks.blob_garbage_collection_force_threshold = 0.5;
  of_chunks.level0_file_num_compaction_trigger = 8;
  std::vector<rocksdb::ColumnFamilyDescriptor> wanted;
  for (std::string name : {"default", "names", "streams", "chunks", "producers", "forks", "due"})
    wanted.emplace_back(name, name == "chunks" ? of_chunks : family);
  return wanted;
}

void garbage_collection::look(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* of_chunks) {
  uint64_t all = 0;
  uint64_t garbage = 0;
  db.GetIntProperty(of_chunks, rocksdb::DB::Properties::kLiveBlobFileSize, &all);
  db.GetIntProperty(of_chunks, rocksdb::DB::Properties::kLiveBlobFileGarbageSize, &garbage);
  auto share = all == 0 ? 0 : static_cast<double>(garbage) / static_cast<double>(all);
  bool wanted = on_ ? share > little : share > much;
  if (wanted != on_ && db.SetOptions(of_chunks, {{"enable_blob_garbage_collection", wanted ? "true" : "false"}}).ok())
    on_ = wanted;
}

} // namespace segue::rocksdb_engine
