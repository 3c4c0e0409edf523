// A folder for one process alone.
#pragma once

#include <filesystem>

namespace segue::rocksdb_engine {

/// RocksDB locks its folder as well, but after its log was looked at and mended: whoever came second would cut the log of a
/// server that runs.
class folder_lock {
public:
  /// Creates the folder if need be. Throws `adapter_error` with `ec::unavailable`, also when somebody else has it locked.
  explicit folder_lock(const std::filesystem::path& folder);
  ~folder_lock();
  folder_lock(const folder_lock&) = delete;
  folder_lock& operator=(const folder_lock&) = delete;

private:
  int handle_ = -1;
};

} // namespace segue::rocksdb_engine
