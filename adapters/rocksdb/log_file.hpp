// The files of RocksDB's log, written ahead of.
#pragma once

#include <rocksdb/env.h>

namespace segue::rocksdb_engine {

/// The default environment, but for the files of the log: zeros are written ahead of small commits, which then write over what is
/// there already. A file that grows has its size and the places of its blocks written with each sync: one wait for the disk more,
/// a sixth of an append. Whoever reads a log finds zeros behind its last record: see `log_tail.hpp`.
rocksdb::Env* environment();

} // namespace segue::rocksdb_engine
