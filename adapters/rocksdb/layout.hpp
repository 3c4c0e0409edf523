// How RocksDB keeps the log: what is set up, and why.
#pragma once

#include <rocksdb/db.h>

#include <vector>

namespace segue::rocksdb_engine {

rocksdb::Options database_options();

/// One for each kind of row, in the order of `rocksdb_chunk_store::family`.
std::vector<rocksdb::ColumnFamilyDescriptor> column_families();

} // namespace segue::rocksdb_engine
