#include "adapters/rocksdb/log_file.hpp"

#include <rocksdb/file_system.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

namespace segue::rocksdb_engine {

namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

constexpr uint64_t ahead = 1 << 20; ///< bytes of zeros that are written at once
constexpr size_t much = 64 << 10;   ///< for a write of more bytes one wait is little, and zeros are half of all
const std::array<char, 64 << 10> zeros = {}; ///< small enough to stay in the processor's cache

IOStatus failure(const char* doing, const std::string& path) {
  auto error = errno;
  auto why = std::generic_category().message(error);
  auto status = error == ENOSPC ? IOStatus::NoSpace(doing + path, why) : IOStatus::IOError(doing + path, why);
  status.SetRetryable(error == ENOSPC);
  return status;
}

class log_file final : public rocksdb::FSWritableFile {
public:
  log_file(std::string path, int file) : path_(std::move(path)), file_(file) {}

  ~log_file() override {
    if (file_ >= 0)
      ::close(file_);
  }

  using FSWritableFile::Append;

  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
    if (end_ + data.size() > written_ && data.size() < much)
      write_ahead(end_ + data.size());
    for (size_t done = 0; done < data.size();) {
      auto some = ::write(file_, data.data() + done, data.size() - done);
      if (some < 0 && errno != EINTR)
        return failure("writing ", path_);
      done += some < 0 ? 0 : static_cast<size_t>(some);
    }
    end_ += data.size();
    written_ = std::max(written_, end_);
    return IOStatus::OK();
  }

  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); } // nothing is kept here

  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    return ::fdatasync(file_) == 0 ? IOStatus::OK() : failure("syncing ", path_);
  }

  bool IsSyncThreadSafe() const override { return true; }

  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return end_; }

  /// Takes the zeros away.
  IOStatus Close(const IOOptions&, IODebugContext*) override {
    bool good = ::ftruncate(file_, static_cast<off_t>(end_)) == 0;
    good = ::close(std::exchange(file_, -1)) == 0 && good;
    return good ? IOStatus::OK() : failure("closing ", path_);
  }

private:
  /// Whatever goes wrong here goes wrong again for what is written next, and is told then.
  void write_ahead(uint64_t least) {
    auto end = least + ahead;
    auto begin = std::max(written_, end_);
    std::array<iovec, ahead / zeros.size() + 2> parts;
    size_t count = 0;
    for (auto at = begin; at < end; at += zeros.size())
      parts[count++] = {const_cast<char*>(zeros.data()), std::min<uint64_t>(zeros.size(), end - at)};
    auto done = ::pwritev(file_, parts.data(), static_cast<int>(count), static_cast<off_t>(begin));
    written_ = begin + static_cast<uint64_t>(std::max<ssize_t>(done, 0));
  }

  std::string path_;
  int file_;
  uint64_t end_ = 0;     ///< of what RocksDB wrote
  uint64_t written_ = 0; ///< with the zeros
};

class log_file_system final : public rocksdb::FileSystemWrapper {
public:
  using FileSystemWrapper::FileSystemWrapper;

  const char* Name() const override { return "segue"; }

  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
      std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* context) override {
    if (!path.ends_with(".log"))
      return FileSystemWrapper::NewWritableFile(path, options, result, context);
    auto file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0)
      return failure("creating ", path);
    *result = std::make_unique<log_file>(path, file);
    return IOStatus::OK();
  }
};

} // namespace

rocksdb::Env* environment() {
  static const auto env = rocksdb::NewCompositeEnv(std::make_shared<log_file_system>(rocksdb::FileSystem::Default()));
  return env.get();
}

} // namespace segue::rocksdb_engine
