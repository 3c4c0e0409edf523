#include "adapters/rocksdb/rocksdb_chunk_store.hpp"

#include "actors/sound.hpp"
#include "adapters/rocksdb/durably.hpp"
#include "adapters/rocksdb/errors.hpp"
#include "adapters/rocksdb/log_tail.hpp"
#include "adapters/rocksdb/transaction.hpp"
#include "adapters/stream_rows.hpp"

#include <algorithm>
#include <mutex>

namespace segue::rocksdb_engine {

namespace {

rocksdb::ReadOptions for_records() {
  rocksdb::ReadOptions how;
  how.fill_cache = false; // records lie beside the keys, and are read once
  return how;
}

} // namespace

rocksdb_chunk_store::rocksdb_chunk_store(options where) : options_(std::move(where)) { open(); }

rocksdb_chunk_store::~rocksdb_chunk_store() { close(); }

void rocksdb_chunk_store::open() {
  if (!lock_)
    lock_.emplace(options_.folder);
  cut_torn_tail(options_.folder);
  auto wanted = column_families();
  rocksdb::DB* db = nullptr;
  check(rocksdb::DB::Open(database_options(), options_.folder.string(), wanted, &families_, &db), "opening the chunk store");
  db_.reset(db);
  garbage_ = {};
  known_.clear();
  try {
    read_counts();
  } catch (...) {
    close(); // RocksDB insists
    throw;
  }
}

void rocksdb_chunk_store::read_counts() {
  count_ = 0;
  std::unique_ptr<rocksdb::Iterator> at{db_->NewIterator({}, in(names))};
  for (at->SeekToFirst(); at->Valid(); at->Next())
    count_ += is_of_generation(at->key().ToStringView()) ? 0 : 1;
  check(at->status(), "counting streams");
  auto last = get(meta, last_id_key);
  last_id_ = last ? read_id(*last) : 0;
}

void rocksdb_chunk_store::close() {
  if (!db_)
    return;
  room_.stop();
  for (auto* family : families_)
    db_->DestroyColumnFamilyHandle(family);
  families_.clear();
  db_->Close();
  db_.reset();
}

/// Throws unless something can be made durable.
void rocksdb_chunk_store::probe() const {
  auto file = options_.folder / "probe";
  durably(file, [](int handle) { return ::write(handle, "?", 1) == 1; });
  std::filesystem::remove(file);
}

void rocksdb_chunk_store::reopen() {
  probe(); // until the disk is well, what is open can at least be read
  std::unique_lock lock{mutex_};
  close();
  open();
}

std::vector<write_outcome> rocksdb_chunk_store::commit(std::span<const stream_write> writes) {
  std::shared_lock lock{mutex_};
  if (!db_)
    throw adapter_error{ec::unavailable, "the chunk store is closed"};
  bool room = has_room();
  transaction together{*this};
  std::vector<write_outcome> outcomes;
  outcomes.reserve(writes.size());
  for (const auto& write : writes)
    outcomes.push_back(room || needs_no_room(together, write) ? apply_write(together, write) : write_outcome{ec::storage_full, {}});
  if (!room && std::all_of(outcomes.begin(), outcomes.end(), [](const auto& x) { return x.code == ec::storage_full; }))
    throw adapter_error{ec::storage_full, "less free space than the reserve of "
        + std::to_string(options_.reserve_bytes >> 20) + " MiB"};
  together.write();
  return outcomes;
}

/// Looks around again after a while, or when much was written since.
bool rocksdb_chunk_store::has_room() {
  auto now = std::chrono::steady_clock::now();
  if (now < look_again_ && written_ < options_.reserve_bytes / 16)
    return true;
  if (std::filesystem::space(options_.folder).available < options_.reserve_bytes) {
    room_.begin(*db_, families_, in(chunks), options_.folder);
    return false;
  }
  look_again_ = now + std::chrono::milliseconds{100};
  written_ = 0;
  garbage_.look(*db_, in(chunks));
  return true;
}

std::optional<std::string> rocksdb_chunk_store::get(family where, const std::string& key) const {
  std::string value;
  auto status = db_->Get({}, in(where), key, &value);
  if (status.IsNotFound())
    return std::nullopt;
  check(status, "reading the chunk store");
  return value;
}

/// A row is not written again when a stream has become longer and nothing else: its last record tells. It is read after the row, so
/// that beside a commit the tail may be newer than the rest, and never older.
std::optional<stream_row> rocksdb_chunk_store::read_row(stream_id id) const {
  auto stored = get(streams, id_key(id));
  if (!stored)
    return std::nullopt;
  std::unique_ptr<rocksdb::Iterator> last{db_->NewIterator(for_records(), in(chunks))};
  last->SeekForPrev(chunk_key(id, UINT64_MAX));
  check(last->status(), "reading the last record");
  try {
    auto row = decode_stream(*stored);
    if (last->Valid() && last->key().starts_with(id_key(id)))
      row.tail = std::max(row.tail, chunk_end(last->key().ToStringView(), last->value().ToStringView()));
    return row;
  } catch (const bad_row&) {
    throw adapter_error{ec::corrupt, "the row of stream " + std::to_string(id) + " is not what was written"};
  }
}

std::vector<producer_tag> rocksdb_chunk_store::load_producers(stream_id id) const {
  std::vector<producer_tag> found;
  auto prefix = id_key(id);
  std::unique_ptr<rocksdb::Iterator> at{db_->NewIterator({}, in(producers))};
  for (at->Seek(prefix); at->Valid() && at->key().starts_with(prefix); at->Next())
    found.push_back(decode_producer(at->value().ToStringView()));
  check(at->status(), "reading producers");
  return found;
}

std::optional<stream_row> rocksdb_chunk_store::load_row(const std::string& path) {
  std::shared_lock lock{mutex_};
  if (!db_)
    throw adapter_error{ec::unavailable, "the chunk store is closed"};
  auto id = get(names, path);
  return id ? read_row(read_id(*id)) : std::nullopt;
}

std::optional<stream_row> rocksdb_chunk_store::load_row(stream_id id) {
  std::shared_lock lock{mutex_};
  if (!db_)
    throw adapter_error{ec::unavailable, "the chunk store is closed"};
  return read_row(id);
}

std::vector<stream_row> rocksdb_chunk_store::load_expiring(stream_id above, size_t limit) {
  std::shared_lock lock{mutex_};
  if (!db_)
    throw adapter_error{ec::unavailable, "the chunk store is closed"};
  std::vector<stream_row> found;
  std::unique_ptr<rocksdb::Iterator> at{db_->NewIterator({}, in(due))};
  for (at->Seek(id_key(above + 1)); at->Valid() && found.size() < limit; at->Next())
    if (auto row = read_row(read_id(at->key().ToStringView())))
      found.push_back(std::move(*row));
  check(at->status(), "reading what expires");
  return found;
}

std::vector<chunk> rocksdb_chunk_store::load_chunks(stream_id id, position after, uint64_t limit) {
  std::shared_lock lock{mutex_};
  if (!db_)
    throw adapter_error{ec::unavailable, "the chunk store is closed"};
  std::vector<chunk> found;
  auto prefix = id_key(id);
  std::unique_ptr<rocksdb::Iterator> at{db_->NewIterator(for_records(), in(chunks))};
  uint64_t size = 0;
  try {
    at->SeekForPrev(chunk_key(id, after));
    if (!at->Valid() || !at->key().starts_with(prefix))
      at->Seek(prefix);
    for (; at->Valid() && at->key().starts_with(prefix); at->Next()) {
      auto record = decode_chunk(chunk_start(at->key().ToStringView()), at->value().ToStringView());
      if (record.end() <= after)
        continue;
      if (found.size() == most_records || (!found.empty() && size + record.bytes.size() > limit))
        break;
      size += record.bytes.size();
      found.push_back(std::move(record));
    }
  } catch (const bad_row&) {
    throw adapter_error{ec::corrupt, "a record of stream " + std::to_string(id) + " does not match its checksum"};
  }
  check(at->status(), "reading chunks");
  return found;
}

} // namespace segue::rocksdb_engine
