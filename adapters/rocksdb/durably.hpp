// Changing a file so that it stays changed.
#pragma once

#include "adapters/ports.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace segue::rocksdb_engine {

/// Creates the file if need be, has `change` do something to its handle, and syncs it. Throws `adapter_error` with
/// `ec::unavailable`, also when `change` returns false, which leaves `errno`.
template <class F>
void durably(const std::filesystem::path& path, F change) {
  auto file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  bool good = file >= 0 && change(file) && ::fsync(file) == 0;
  auto error = errno;
  if (file >= 0)
    ::close(file);
  if (!good)
    throw adapter_error{ec::unavailable, "the disk takes nothing: " + path.string() + ": " + std::generic_category().message(error)};
}

} // namespace segue::rocksdb_engine
