#include "adapters/rocksdb/layout.hpp"

#include "adapters/rocksdb/log_file.hpp"

#include <isa-l/crc.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <climits>

namespace segue::rocksdb_engine {

namespace {

constexpr uint64_t smallest_blob = 512; ///< shorter records lie beside their keys
constexpr uint64_t largest_file = 16 << 20; ///< of records: where space is short, files are written anew one by one

} // namespace

rocksdb::Options database_options() {
  rocksdb::Options how;
  how.env = environment();
  how.create_if_missing = true;
  how.create_missing_column_families = true;
  how.keep_log_file_num = 2;
  how.max_open_files = 256;
  how.max_total_wal_size = 64 << 20;
  how.allow_concurrent_memtable_write = false; // there is one writer
  how.bytes_per_sync = 512 << 10; // a table that is written goes to the disk bit by bit: syncs of the log do not wait behind all of it
  how.stats_dump_period_sec = 0;
  how.advise_random_on_open = false; // pieces are read from end to end: the kernel may read ahead
  how.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords; // `cut_torn_tail` leaves none
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
  of_chunks.blob_file_size = largest_file;
  of_chunks.blob_garbage_collection_age_cutoff = 0.5;
  of_chunks.blob_garbage_collection_force_threshold = 0.5;
  of_chunks.level0_file_num_compaction_trigger = 8;
  of_chunks.max_bytes_for_level_base = 4 << 20; // of keys: what is new is not merged with all there is, again and again
  of_chunks.target_file_size_base = 1 << 20;
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

/// RocksDB computes this over everything it writes, twice, and Debian builds it for processors without an instruction for it: an
/// eighth of what an append of 4 KiB costs. The dynamic linker takes a program's definition before a library's. The result is the
/// same, so files can be read with and without.
uint32_t rocksdb::crc32c::Extend(uint32_t crc, const char* bytes, size_t size) {
  auto* at = reinterpret_cast<const unsigned char*>(bytes);
  crc = ~crc;
  while (size > 0) {
    auto some = static_cast<int>(std::min<size_t>(size, INT_MAX));
    crc = crc32_iscsi(const_cast<unsigned char*>(at), some, crc);
    at += some;
    size -= some;
  }
  return ~crc;
}
