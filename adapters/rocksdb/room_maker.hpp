// What to do about a disk that is nearly full, beside refusing appends.
#pragma once

#include <rocksdb/db.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>
#include <vector>

namespace segue::rocksdb_engine {

/// What is removed leaves the disk when compactions come to it, and compactions come as more is written; where nothing more can be
/// written, the disk would stay full for ever. So they are asked for, in rounds on a thread of its own: the log is emptied, keys
/// are merged, files of records in which nothing is left go, and the oldest ones are written anew without what was removed, as many
/// as there is space for. Used by the thread that writes.
class room_maker {
public:
  static constexpr uint64_t least_space = 16 << 20; ///< free bytes without which nothing is begun
  static constexpr uint64_t worthwhile = 4 << 20;   ///< bytes of removed records for which files are written anew
  static constexpr std::chrono::milliseconds pause{1'000}; ///< between two rounds

  ~room_maker() { stop(); }

  /// Something was: there may be room to be made.
  void removed() { hopeful_ = true; }

  /// Begins a round, unless one is under way, has just ended, or can make no room. `all` must not change until `stop`.
  void begin(rocksdb::DB& db, const std::vector<rocksdb::ColumnFamilyHandle*>& all, rocksdb::ColumnFamilyHandle* of_chunks,
      const std::filesystem::path& folder);

  /// Returns when nothing is under way; what is, is given up.
  void stop();

private:
  using clock = std::chrono::steady_clock;

  void run(rocksdb::DB& db, const std::vector<rocksdb::ColumnFamilyHandle*>& all, rocksdb::ColumnFamilyHandle* of_chunks,
      const std::filesystem::path& folder);
  rocksdb::Status merge(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* of_chunks, double oldest);

  std::thread thread_;
  std::atomic<bool> hopeful_ = true; ///< what was there before may have been removed
  std::atomic<bool> running_ = false;
  std::atomic<bool> given_up_ = false;
  std::atomic<clock::rep> not_before_ = 0;
};

} // namespace segue::rocksdb_engine
