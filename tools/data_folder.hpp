// The folder of everything that is kept, used by one server at a time.
#pragma once

#include "adapters/owner_lock.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace segue {

/// What is wrong with the folder, and what to do about it.
struct bad_folder {
  std::string what;
};

/// Throws `bad_folder` when a server could not keep its data there now. Makes nothing.
void check_data_folder(const std::string& path);

/// Throws `bad_folder` unless something can be made in the folder, or in the one that would have to be written to first. Leaves nothing.
void check_writable(const std::filesystem::path& folder);

/// The folder itself, or the one that would have to be written to first.
std::filesystem::path nearest_folder(const std::filesystem::path& path);

/// Makes the folder unless it is there, for its owner alone: prompts and sound are no business of others on this machine. Throws `bad_folder`.
std::filesystem::path make_data_folder(const std::string& path);

/// Whether every user of this machine may look into a folder that is there.
bool others_may_read(const std::string& path);

class data_folder {
public:
  /// Creates the folder if need be and locks it until destruction; the kernel unlocks it when the process dies.
  /// Throws `bad_folder` when it cannot be written to, or is another server's.
  explicit data_folder(const std::string& path);

  const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
  std::optional<owner_lock> lock_;
};

} // namespace segue
