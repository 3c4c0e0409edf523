// Objects as files in a folder: the embedded object store.
#pragma once

#include "adapters/ports.hpp"

#include <filesystem>

namespace segue::filesystem {

class new_file;

struct options {
  std::filesystem::path folder;
  uint64_t reserve_bytes = 64 << 20; ///< writes are refused when they would leave less free space than this
};

/// The folder that stands behind `file:`, an absolute one, or DATA/objects if there is nothing. Throws
/// `adapter_error{ec::invalid_argument}` for anything else.
std::filesystem::path folder_of(const std::string& rest, const std::filesystem::path& data);

/// Any number of processes may use one folder: everything appears and disappears in one step.
class filesystem_object_store final : public object_store {
public:
  /// Creates the folder if there is none, and removes what was begun more than a day ago and never finished. Throws
  /// `adapter_error` when nothing can be written there.
  explicit filesystem_object_store(options where);

  void put(const std::string& key, const std::string& content_type, const payload& bytes) override;
  std::string begin_upload(const std::string& key, const std::string& content_type) override;
  std::string put_part(const std::string& key, const std::string& upload_id, uint32_t number, const payload& bytes) override;
  void finish_upload(const std::string& key, const std::string& upload_id, const std::vector<std::string>& tags) override;
  void abort_uploads(const std::string& key) override;
  object_bytes read(const std::string& key, uint64_t from, uint64_t length) override;
  void erase(const std::string& key) override;

private:
  std::filesystem::path path_of(const std::string& key) const;
  std::filesystem::path new_path() const;
  static bool is_upload_of(const std::filesystem::path& folder, const std::string& key);
  std::filesystem::path find_upload(const std::string& key, const std::string& upload_id) const;
  void check_space(uint64_t more) const;
  void publish(new_file& whole, const std::filesystem::path& target) const;
  void remove_left_overs() const;

  options options_;
  std::filesystem::path uploads_; ///< a folder for each upload, and files that are not whole yet
};

} // namespace segue::filesystem
