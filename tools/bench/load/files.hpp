// Files that clients compare with, or upload.
#pragma once

#include "measure.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <string_view>

namespace load {

/// The whole file, in memory.
inline std::string_view mapped(const std::string& path) {
  int fd = open(path.c_str(), O_RDONLY);
  struct stat about{};
  if (fd < 0 || fstat(fd, &about) != 0)
    fail("cannot read " + path);
  auto size = static_cast<size_t>(about.st_size);
  auto* bytes = mmap(nullptr, size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
  if (bytes == MAP_FAILED)
    fail("cannot map " + path);
  return {static_cast<const char*>(bytes), size};
}

} // namespace load
