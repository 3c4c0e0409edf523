// What RocksDB answers, as an `ec`.
#pragma once

#include "adapters/ports.hpp"

#include <rocksdb/status.h>

namespace segue::rocksdb_engine {

/// Throws `adapter_error` unless it went well; `doing` is a few words for the log.
inline void check(const rocksdb::Status& status, const char* doing) {
  if (status.ok())
    return;
  auto code = status.IsNoSpace() ? ec::unknown_outcome : status.IsCorruption() ? ec::corrupt : ec::unavailable;
  throw adapter_error{code, std::string{doing} + ": " + status.ToString()};
}

} // namespace segue::rocksdb_engine
