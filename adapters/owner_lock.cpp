#include "adapters/owner_lock.hpp"

#include "adapters/ports.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace segue {

namespace {

/// What is written in the lock by who has it.
adapter_error in_use(int lock, const std::string& what, const char* setting) {
  char owner[32] = {};
  auto length = read(lock, owner, sizeof owner - 1);
  return {ec::fenced, what + " is in use by another server"
      + (length > 0 ? " (process " + std::string{owner, static_cast<size_t>(length)} + ")" : "") + "; stop that one, or give another " + setting};
}

bool write_owner(int lock) {
  auto pid = std::to_string(getpid());
  return ftruncate(lock, 0) == 0 && write(lock, pid.data(), pid.size()) == static_cast<ssize_t>(pid.size());
}

} // namespace

owner_lock::owner_lock(const std::filesystem::path& file, const std::string& what, const char* setting)
    : handle_(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (handle_ >= 0 && flock(handle_, LOCK_EX | LOCK_NB) == 0 && write_owner(handle_))
    return;
  auto why = handle_ >= 0 && errno == EWOULDBLOCK ? in_use(handle_, what, setting)
      : adapter_error{ec::unavailable, what + " is not writable: " + std::strerror(errno) + "; give another " + setting};
  if (handle_ >= 0)
    close(handle_);
  throw why;
}

owner_lock::~owner_lock() { close(handle_); }

void owner_lock::expect_free(const std::filesystem::path& file, const std::string& what, const char* setting) {
  auto lock = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (lock < 0) // nobody was ever there
    return;
  auto taken = flock(lock, LOCK_SH | LOCK_NB) != 0;
  auto why = in_use(lock, what, setting);
  close(lock);
  if (taken)
    throw why;
}

std::filesystem::path lock_beside(const std::filesystem::path& file) {
  return std::filesystem::weakly_canonical(file).concat(".lock");
}

} // namespace segue
