// Files by system calls: written durably, errors as exceptions.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace segue::filesystem {

/// Throws `adapter_error` with what an `errno` means.
[[noreturn]] void fail(int error, const std::string& doing);

/// Makes what was created, renamed or removed in a folder durable. One that is gone has nothing to keep.
void sync_folder(const std::filesystem::path& folder);

/// A file that is there, to be read.
class old_file {
public:
  /// `what` it is, for errors. Throws `ec::not_found`, also when it is a folder.
  old_file(const std::filesystem::path& path, std::string what);
  ~old_file();
  old_file(const old_file&) = delete;
  old_file& operator=(const old_file&) = delete;

  uint64_t size() const { return size_; }

  /// Exactly so many bytes. Throws `ec::corrupt` when the file has become shorter.
  std::string read(uint64_t from, uint64_t length) const;

private:
  friend class new_file;
  std::string what_;
  int handle_;
  uint64_t size_ = 0;
};

/// A file that was not there before, and is gone with this object unless it is kept.
class new_file {
public:
  explicit new_file(std::filesystem::path path);
  ~new_file();
  new_file(const new_file&) = delete;
  new_file& operator=(const new_file&) = delete;

  void write(std::string_view bytes);

  /// Appends all of another file, without taking it through this process.
  void write(const old_file& source);

  void sync();
  void keep() { kept_ = true; }
  const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
  int handle_;
  bool kept_ = false;
};

} // namespace segue::filesystem
