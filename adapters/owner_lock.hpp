// A file that one server at a time has locked, for what lies beside it.
#pragma once

#include <filesystem>
#include <string>

namespace segue {

class owner_lock {
public:
  /// Makes the file if need be and locks it until destruction; the kernel unlocks it when the process dies. People are told `what` it
  /// stands for, and by which setting. Throws `adapter_error`: `ec::fenced` when another process has it, else `ec::unavailable`.
  owner_lock(const std::filesystem::path& file, const std::string& what, const char* setting);
  ~owner_lock();
  owner_lock(const owner_lock&) = delete;
  owner_lock& operator=(const owner_lock&) = delete;

  /// Throws as the constructor would when another process has it now. Makes nothing.
  static void expect_free(const std::filesystem::path& file, const std::string& what, const char* setting);

private:
  int handle_ = -1;
};

/// The lock of a file, whichever of its names it is reached by.
std::filesystem::path lock_beside(const std::filesystem::path& file);

} // namespace segue
