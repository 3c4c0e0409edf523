#include "tools/data_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace segue {

data_folder::data_folder(const std::string& path) {
  std::error_code error;
  path_ = std::filesystem::absolute(path, error);
  std::filesystem::create_directories(path_, error);
  if (error)
    throw bad_folder{"the data folder " + path_.string() + " cannot be created: " + error.message()
        + "; give another one with --data"};
  auto file = path_ / "segue.lock";
  lock_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_ < 0)
    throw bad_folder{"the data folder " + path_.string() + " is not writable: " + std::strerror(errno)
        + "; give another one with --data"};
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    char owner[32] = {};
    auto length = read(lock_, owner, sizeof owner - 1);
    close(lock_);
    throw bad_folder{"the data folder " + path_.string() + " is in use by another server"
        + (length > 0 ? " (process " + std::string{owner, static_cast<size_t>(length)} + ")" : "")
        + "; stop that one, or give another folder with --data"};
  }
  auto pid = std::to_string(getpid());
  if (ftruncate(lock_, 0) != 0 || write(lock_, pid.data(), pid.size()) != static_cast<ssize_t>(pid.size())) {
    close(lock_);
    throw bad_folder{"the data folder " + path_.string() + " cannot be written to: " + std::strerror(errno)};
  }
}

data_folder::~data_folder() { close(lock_); }

} // namespace segue
