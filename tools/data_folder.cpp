#include "tools/data_folder.hpp"

#include "adapters/ports.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

namespace segue {

namespace {

constexpr const char* lock_name = "segue.lock";

std::string named(const std::filesystem::path& folder) { return "the data folder " + folder.string(); }

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
  try {
    owner_lock::expect_free(folder / lock_name, named(folder), "--data");
  } catch (const adapter_error& e) {
    throw bad_folder{e.what()};
  }
}

data_folder::data_folder(const std::string& path) {
  std::error_code error;
  path_ = std::filesystem::absolute(path, error);
  std::filesystem::create_directories(path_, error);
  if (error)
    throw bad_folder{named(path_) + " cannot be created: " + error.message() + "; give another one with --data"};
  try {
    lock_.emplace(path_ / lock_name, named(path_), "--data");
  } catch (const adapter_error& e) {
    throw bad_folder{e.what()};
  }
}

} // namespace segue
