#include "tools/data_folder.hpp"

#include "adapters/ports.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <sys/stat.h>
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

std::filesystem::path make_data_folder(const std::string& path) {
  std::error_code error;
  auto folder = std::filesystem::absolute(path, error).lexically_normal();
  if (!folder.has_filename()) // a slash at its end
    folder = folder.parent_path();
  std::filesystem::create_directories(folder.parent_path(), error);
  if (!error && mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST)
    error.assign(errno, std::generic_category());
  if (error)
    throw bad_folder{named(folder) + " cannot be created: " + error.message() + "; give another one with --data"};
  return folder;
}

bool others_may_read(const std::string& path) {
  std::error_code ignored;
  auto mode = std::filesystem::status(path, ignored).permissions();
  return mode != std::filesystem::perms::unknown && (mode & std::filesystem::perms::others_all) != std::filesystem::perms::none;
}

data_folder::data_folder(const std::string& path) : path_(make_data_folder(path)) {
  try {
    lock_.emplace(path_ / lock_name, named(path_), "--data");
  } catch (const adapter_error& e) {
    throw bad_folder{e.what()};
  }
}

} // namespace segue
