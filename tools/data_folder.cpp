#include "tools/data_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace segue {

namespace {

constexpr const char* lock_name = "segue.lock";

/// What is written in the lock by who has it.
bad_folder in_use(const std::filesystem::path& folder, int lock) {
  char owner[32] = {};
  auto length = read(lock, owner, sizeof owner - 1);
  return {"the data folder " + folder.string() + " is in use by another server"
      + (length > 0 ? " (process " + std::string{owner, static_cast<size_t>(length)} + ")" : "")
      + "; stop that one, or give another folder with --data"};
}

bad_folder not_writable(const std::filesystem::path& folder) {
  return {"the folder " + folder.string() + " is not writable: " + std::strerror(errno) + "; give another one"};
}

} // namespace

std::filesystem::path nearest_folder(const std::filesystem::path& path) {
  std::error_code ignored;
  auto found = std::filesystem::absolute(path, ignored);
  while (found.has_relative_path() && !std::filesystem::exists(found, ignored))
    found = found.parent_path();
  return found;
}

void check_writable(const std::filesystem::path& folder) {
  auto probe = (nearest_folder(folder) / "segue-doctor-XXXXXX").string();
  if (!mkdtemp(probe.data()))
    throw not_writable(folder);
  rmdir(probe.c_str());
}

void check_data_folder(const std::string& path) {
  auto folder = std::filesystem::absolute(path);
  check_writable(folder);
  auto lock = open((folder / lock_name).c_str(), O_RDONLY | O_CLOEXEC);
  if (lock < 0) // nobody was ever there
    return;
  auto taken = flock(lock, LOCK_SH | LOCK_NB) != 0;
  auto why = taken ? in_use(folder, lock) : bad_folder{};
  close(lock);
  if (taken)
    throw why;
}

data_folder::data_folder(const std::string& path) {
  std::error_code error;
  path_ = std::filesystem::absolute(path, error);
  std::filesystem::create_directories(path_, error);
  if (error)
    throw bad_folder{"the data folder " + path_.string() + " cannot be created: " + error.message()
        + "; give another one with --data"};
  auto file = path_ / lock_name;
  lock_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_ < 0)
    throw not_writable(path_);
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    auto why = in_use(path_, lock_);
    close(lock_);
    throw why;
  }
  auto pid = std::to_string(getpid());
  if (ftruncate(lock_, 0) != 0 || write(lock_, pid.data(), pid.size()) != static_cast<ssize_t>(pid.size())) {
    close(lock_);
    throw bad_folder{"the data folder " + path_.string() + " cannot be written to: " + std::strerror(errno)};
  }
}

data_folder::~data_folder() { close(lock_); }

} // namespace segue
