// How RocksDB keeps the log: what is set up, and why.
#pragma once

#include <rocksdb/db.h>

#include <vector>

namespace segue::rocksdb_engine {

rocksdb::Options database_options();

/// One for each kind of row, in the order of `rocksdb_chunk_store::family`.
std::vector<rocksdb::ColumnFamilyDescriptor> column_families();

/// Compactions that collect garbage write what they meet in the oldest files anew, whether there is garbage or not: a tenth of what
/// an append costs where nothing is ever removed. So they do it only while there is much.
class garbage_collection {
public:
  static constexpr double much = 0.2;   ///< of the bytes of all files: it begins
  static constexpr double little = 0.1; ///< and ends

  /// Called now and then. Garbage is what compactions have found to be removed.
  void look(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* of_chunks);

private:
  bool on_ = false;
};

} // namespace segue::rocksdb_engine

namespace rocksdb::crc32c {

/// CRC-32C of what `crc` is the checksum of, followed by these bytes. RocksDB's own name, which its headers do not tell.
uint32_t Extend(uint32_t crc, const char* bytes, size_t size);

} // namespace rocksdb::crc32c
