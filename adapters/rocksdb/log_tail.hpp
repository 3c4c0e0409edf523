// What a crash leaves at the end of a log of RocksDB.
#pragma once

#include <cstdint>
#include <filesystem>
#include <istream>

namespace segue::rocksdb_engine {

struct log_tail {
  uint64_t end = 0;     ///< bytes, up to where the last whole record ends
  bool damaged = false; ///< another record begins behind something that is none
};

/// A commit is one record, and the next one begins when it is synced. So what is torn by a crash is one record at most, and it
/// is the last: a record that begins behind it means that something was lost that had been acknowledged. What a record looks
/// like: https://github.com/facebook/rocksdb/wiki/Write-Ahead-Log-File-Format
log_tail read_log(std::istream& log);

/// Cuts off what is not whole, and the zeros, at the end of the newest log in `folder`; of that before as well if nothing is in it,
/// since it was begun in vain, and so on. RocksDB, which is not open there, would take it for damage. Throws `adapter_error` with
/// `ec::corrupt` when it is damage, or with `ec::unavailable`.
void cut_torn_tail(const std::filesystem::path& folder);

} // namespace segue::rocksdb_engine
