#include "adapters/rocksdb/room_maker.hpp"

#include "actors/log.hpp"
#include "actors/thread_rank.hpp"

#include <rocksdb/metadata.h>

#include <algorithm>

namespace segue::rocksdb_engine {

namespace {

uint64_t free_bytes(const std::filesystem::path& folder) {
  std::error_code failed;
  auto space = std::filesystem::space(folder, failed);
  return failed ? 0 : space.available;
}

/// Files of records, the oldest first.
std::vector<rocksdb::BlobMetaData> files_of(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* of_chunks) {
  rocksdb::ColumnFamilyMetaData found;
  db.GetColumnFamilyMetaData(of_chunks, &found);
  std::sort(found.blob_files.begin(), found.blob_files.end(),
      [](const auto& a, const auto& b) { return a.blob_file_number < b.blob_file_number; });
  return std::move(found.blob_files);
}

uint64_t garbage_of(const std::vector<rocksdb::BlobMetaData>& files) {
  uint64_t sum = 0;
  for (const auto& x : files)
    sum += x.garbage_blob_bytes;
  return sum;
}

/// The share of the files, from the oldest on, of which what is left has space.
double fitting(const std::vector<rocksdb::BlobMetaData>& files, uint64_t space) {
  size_t count = 0;
  for (uint64_t left = 0; count < files.size(); ++count) {
    left += files[count].total_blob_bytes - files[count].garbage_blob_bytes;
    if (left > space)
      break;
  }
  auto all = static_cast<double>(files.size());
  return count == files.size() ? 1 : (static_cast<double>(count) + (count > 0 ? 0.5 : 0)) / all; // RocksDB rounds it down
}

} // namespace

void room_maker::begin(rocksdb::DB& db, const std::vector<rocksdb::ColumnFamilyHandle*>& all,
    rocksdb::ColumnFamilyHandle* of_chunks, const std::filesystem::path& folder) {
  if (running_ || !hopeful_ || clock::now().time_since_epoch().count() < not_before_ || free_bytes(folder) < least_space)
    return;
  stop();
  hopeful_ = false;
  running_ = true;
  thread_ = std::thread{[this, &db, &all, of_chunks, folder] {
    step_back();
    run(db, all, of_chunks, folder);
    not_before_ = (clock::now() + pause).time_since_epoch().count();
    running_ = false;
  }};
}

void room_maker::stop() {
  given_up_ = true;
  if (thread_.joinable())
    thread_.join();
  given_up_ = false;
}

void room_maker::run(rocksdb::DB& db, const std::vector<rocksdb::ColumnFamilyHandle*>& all,
    rocksdb::ColumnFamilyHandle* of_chunks, const std::filesystem::path& folder) {
  auto before = free_bytes(folder);
  auto done = db.Flush({}, all);
  if (done.ok())
    done = merge(db, of_chunks, 0);
  auto files = files_of(db, of_chunks);
  auto space = free_bytes(folder);
  if (done.ok() && garbage_of(files) >= worthwhile && space > least_space)
    done = merge(db, of_chunks, fitting(files, space - least_space));
  if (!done.ok() && !done.IsIncomplete()) // given up, that is
    log::warning("host", "no_room_made", "RocksDB: " + done.ToString());
  if (garbage_of(files_of(db, of_chunks)) >= worthwhile || !done.ok())
    hopeful_ = true;
  auto after = free_bytes(folder);
  log::info("host", "room_made", std::to_string(after > before ? (after - before) >> 20 : 0) + " MiB were freed of what was removed; "
      + std::to_string(after >> 20) + " MiB are free");
}

/// `oldest`: the share of the files of records that are written anew.
rocksdb::Status room_maker::merge(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* of_chunks, double oldest) {
  rocksdb::CompactRangeOptions how;
  how.exclusive_manual_compaction = false;
  how.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  how.canceled = &given_up_;
  how.blob_garbage_collection_policy =
      oldest > 0 ? rocksdb::BlobGarbageCollectionPolicy::kForce : rocksdb::BlobGarbageCollectionPolicy::kDisable;
  how.blob_garbage_collection_age_cutoff = oldest;
  return db.CompactRange(how, of_chunks, nullptr, nullptr);
}

} // namespace segue::rocksdb_engine
