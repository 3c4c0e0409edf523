#include "adapters/rocksdb/folder_lock.hpp"

#include "adapters/ports.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace segue::rocksdb_engine {

folder_lock::folder_lock(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  handle_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle_ >= 0 && ::flock(handle_, LOCK_EX | LOCK_NB) == 0)
    return;
  auto why = errno;
  if (handle_ >= 0)
    ::close(handle_);
  throw adapter_error{ec::unavailable, "the folder " + folder.string()
      + (why == EWOULDBLOCK ? " is in use by another process" : " cannot be opened: " + std::generic_category().message(why))};
}

folder_lock::~folder_lock() { ::close(handle_); }

} // namespace segue::rocksdb_engine
