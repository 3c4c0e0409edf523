#include "adapters/filesystem/file.hpp"

#include "adapters/ports.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

namespace segue::filesystem {

namespace {

constexpr size_t most_at_once = 1 << 30; ///< the system takes no more than 2 GiB in one call

ec meaning_of(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return ec::storage_full;
    case EFBIG:
      return ec::too_large;
    case ENOENT:
      return ec::not_found;
    default:
      return ec::unavailable;
  }
}

/// The call again while signals interrupt it.
template <class Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR)
    result = call();
  return result;
}

void sync_handle(int handle, const std::string& name) {
  if (uninterrupted([&] { return ::fsync(handle); }) != 0)
    fail(errno, "syncing " + name);
}

} // namespace

void fail(int error, const std::string& doing) {
  throw adapter_error{meaning_of(error), doing + ": " + std::generic_category().message(error)};
}

void sync_folder(const std::filesystem::path& folder) {
  auto handle = uninterrupted([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (handle < 0 && (errno == ENOENT || errno == ENOTDIR))
    return;
  if (handle < 0)
    fail(errno, "opening " + folder.string());
  std::unique_ptr<int, void (*)(int*)> closer{&handle, [](int* x) { ::close(*x); }};
  sync_handle(handle, folder.string());
}

// -- reading ------------------------------------------------------------------------------------------------------------

old_file::old_file(const std::filesystem::path& path, std::string what)
    : what_(std::move(what)), handle_(uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); })) {
  if (handle_ < 0)
    fail(errno == ENOTDIR ? ENOENT : errno, "opening " + what_);
  struct stat found {};
  auto error = ::fstat(handle_, &found) != 0 ? errno : S_ISREG(found.st_mode) ? 0 : ENOENT;
  if (error != 0) {
    ::close(handle_);
    fail(error, "opening " + what_);
  }
  size_ = static_cast<uint64_t>(found.st_size);
}

old_file::~old_file() { ::close(handle_); }

std::string old_file::read(uint64_t from, uint64_t length) const {
  std::string bytes(length, '\0');
  for (uint64_t done = 0; done < length;) {
    auto at = static_cast<off_t>(from + done);
    auto count = uninterrupted([&] { return ::pread(handle_, &bytes[done], std::min(length - done, most_at_once), at); });
    if (count < 0)
      fail(errno, "reading " + what_);
    if (count == 0)
      throw adapter_error{ec::corrupt, what_ + " is shorter than it was: somebody else changes its file"};
    done += static_cast<uint64_t>(count);
  }
  return bytes;
}

// -- writing ------------------------------------------------------------------------------------------------------------

new_file::new_file(std::filesystem::path path)
    : path_(std::move(path)),
      handle_(uninterrupted([&] { return ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644); })) {
  if (handle_ < 0)
    fail(errno, "creating " + path_.string());
}

new_file::~new_file() {
  ::close(handle_);
  if (!kept_)
    ::unlink(path_.c_str());
}

void new_file::write(std::string_view bytes) {
  while (!bytes.empty()) {
    auto count = uninterrupted([&] { return ::write(handle_, bytes.data(), std::min(bytes.size(), most_at_once)); });
    if (count < 0)
      fail(errno, "writing an object");
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

void new_file::write(const old_file& source) {
  off_t at = 0;
  while (static_cast<uint64_t>(at) < source.size()) {
    auto left = static_cast<size_t>(source.size() - static_cast<uint64_t>(at));
    auto count = uninterrupted([&] { return ::sendfile(handle_, source.handle_, &at, std::min(left, most_at_once)); });
    if (count < 0)
      fail(errno, "writing an object");
    if (count == 0)
      throw adapter_error{ec::corrupt, source.what_ + " is shorter than it was: somebody else changes its file"};
  }
}

void new_file::sync() { sync_handle(handle_, path_.string()); }

} // namespace segue::filesystem
