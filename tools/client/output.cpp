#include "tools/client/output.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "tools/client/interrupt.hpp"

namespace segue::client {

namespace {

bool is_file(int descriptor) {
  struct stat status {};
  return fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

} // namespace

output::~output() { close(); }

bool output::open(const std::string& path) {
  path_ = path;
  if (is_stdout()) {
    descriptor_ = STDOUT_FILENO;
    return true;
  }
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  created_ = descriptor_ >= 0;
  if (!created_ && errno == EEXIST)
    descriptor_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  return descriptor_ >= 0 || fail("open");
}

bool output::begin(std::uint64_t keep) {
  if (is_stdout() || !is_file(descriptor_))
    return true;
  const auto length = static_cast<off_t>(keep);
  return (ftruncate(descriptor_, length) == 0 && lseek(descriptor_, length, SEEK_SET) == length) || fail("write to");
}

bool output::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EINTR) {
      if (interrupted())
        return false;
    } else if (errno == EAGAIN) {
      pollfd room{descriptor_, POLLOUT, 0};
      if (poll(&room, 1, 1000) < 0 && interrupted())
        return false;
    } else {
      return fail("write to");
    }
  }
  return true;
}

bool output::close() {
  if (descriptor_ < 0 || is_stdout())
    return true;
  const int descriptor = std::exchange(descriptor_, -1);
  return ::close(descriptor) == 0 || fail("write to");
}

void output::discard() {
  close();
  if (std::exchange(created_, false))
    unlink(path_.c_str());
}

std::uint64_t output::size() const {
  struct stat status {};
  if (is_stdout() || fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode))
    return 0;
  return static_cast<std::uint64_t>(status.st_size);
}

std::string output::ending(std::size_t most) const {
  const auto length = size();
  std::string bytes(std::min<std::uint64_t>(most, length), '\0');
  std::ifstream file(path_, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(length - bytes.size()));
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return file ? bytes : std::string{};
}

bool output::fail(const char* doing) {
  const bool closed = errno == EPIPE;
  error_ = closed ? "the reader of the output went away"
                  : "cannot " + std::string(doing) + ' ' + (is_stdout() ? "standard output" : path_) + ": "
                        + std::strerror(errno);
  return false;
}

} // namespace segue::client
