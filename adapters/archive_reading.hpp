// Reads archived streams as if they were in the log.
#pragma once

#include "actors/archive.hpp"
#include "adapters/ports.hpp"

#include <list>
#include <mutex>

namespace segue {

/// Used by any number of threads.
class archive_reader {
public:
  explicit archive_reader(std::shared_ptr<object_store> objects) : objects_(std::move(objects)) {}

  /// Whole records, the first one cut to begin at `after`. Throws `adapter_error`.
  chunk_batch read(const load_archived& x);

private:
  std::shared_ptr<const manifest> manifest_of(const std::string& path);

  static constexpr size_t most_manifests = 64;       ///< of pieces that were read last,
  static constexpr size_t most_records = 4'000'000;  ///< in all of them but the newest: 64 MB

  using entry = std::pair<std::string, std::shared_ptr<const manifest>>;
  std::shared_ptr<object_store> objects_;
  std::mutex mutex_;
  std::list<entry> recent_; ///< newest first
  size_t records_ = 0;      ///< in those
};

} // namespace segue
