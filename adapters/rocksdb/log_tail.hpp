// What a crash leaves at the end of a log of RocksDB.
#pragma once

#include <cstdint>
#include <filesystem>
#include <istream>

namespace segue::rocksdb_engine {

/// Changes are numbered, through all logs.
struct log_tail {
  uint64_t end = 0;          ///< bytes, up to where the last whole record ends
  uint64_t first_change = 0; ///< of the first record, if there is any
  uint64_t next_change = 0;  ///< the first one behind the last whole record; 0: there is none
  bool torn = false;         ///< something behind that is neither a record nor zeros
  bool damaged = false;      ///< another record begins behind something that is none
};

/// A commit is one record, and the next one begins when it is synced. So what is torn by a crash is one record at most, and it
/// is the last: a record that begins behind it means that something was lost that had been acknowledged. What a record looks
/// like: https://github.com/facebook/rocksdb/wiki/Write-Ahead-Log-File-Format
log_tail read_log(std::istream& log);

/// Cuts off what is not whole, and the zeros, at the end of the newest log in `folder`; of that before as well if nothing is in it,
/// since it was begun in vain, and so on. RocksDB, which is not open there, would take it for damage. An older log is whole when
/// the one behind goes on where it ends; RocksDB would go on without what is missing between them. Throws `adapter_error` with
/// `ec::corrupt` when there is damage, or with `ec::unavailable`.
void cut_torn_tail(const std::filesystem::path& folder);

} // namespace segue::rocksdb_engine
