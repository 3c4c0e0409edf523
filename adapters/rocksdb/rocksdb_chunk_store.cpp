#include "adapters/rocksdb/rocksdb_chunk_store.hpp"

#include "actors/sound.hpp"
#include "adapters/stream_rows.hpp"
#include "adapters/stream_rules.hpp"

#include <rocksdb/write_batch.h>

#include <algorithm>
#include <mutex>

#include <fcntl.h>
#include <unistd.h>

namespace segue::rocksdb_engine {

namespace {

constexpr const char* last_id_key = "last_id";
constexpr size_t most_known = 4096; ///< rows that are remembered; then it begins anew

void check(const rocksdb::Status& status, const char* doing) {
  if (status.ok())
    return;
  auto code = status.IsNoSpace() ? ec::unknown_outcome : status.IsCorruption() ? ec::corrupt : ec::unavailable;
  throw adapter_error{code, std::string{doing} + ": " + status.ToString()};
}

} // namespace

/// Writes that become durable together: later ones see what earlier ones changed.
class rocksdb_chunk_store::transaction final : public stream_table {
public:
  explicit transaction(rocksdb_chunk_store& store) : store_(store), last_id_(store.last_id_), count_(store.count_) {}

  const stream_row* find(const std::string& path) override {
    auto id = ids_.find(path);
    if (id == ids_.end()) {
      auto stored = store_.get(names, path);
      id = ids_.emplace(path, stored ? read_id(*stored) : 0).first;
    }
    return id->second == 0 ? nullptr : find(id->second);
  }

  const stream_row* find(stream_id id) override {
    auto row = rows_.find(id);
    if (row == rows_.end()) {
      auto known = store_.known_.find(id);
      if (known != store_.known_.end())
        return known->second ? &*known->second : nullptr;
      auto stored = store_.get(streams, id_key(id));
      row = rows_.emplace(id, stored ? std::optional{decode_stream(*stored)} : std::nullopt).first;
    }
    return row->second ? &*row->second : nullptr;
  }

  std::vector<producer_tag> producers(stream_id id) override {
    std::map<std::string, producer_tag> newest;
    for (auto& tag : store_.load_producers(id))
      newest[tag.id] = std::move(tag);
    for (const auto& [key, tag] : producers_)
      if (key.first == id)
        newest[tag.id] = tag;
    std::vector<producer_tag> all;
    for (auto& [name, tag] : newest)
      all.push_back(std::move(tag));
    return all;
  }

  size_t count() const override { return count_; }

  void insert(stream_row& row) override {
    count_ += is_of_generation(row.path) ? 0 : 1;
    row.id = ++last_id_;
    batch_.Put(store_.in(meta), last_id_key, id_key(last_id_));
    batch_.Put(store_.in(names), row.path, id_key(row.id));
    if (expires(row))
      batch_.Put(store_.in(due), id_key(row.id), {});
    ids_[row.path] = row.id;
    save(row);
  }

  void save(const stream_row& row) override {
    batch_.Put(store_.in(streams), id_key(row.id), encode(row));
    rows_[row.id] = row;
  }

  void put(stream_id id, const chunk& record) override {
    batch_.Put(store_.in(chunks), chunk_key(id, record.start), encode(record));
  }

  void put(stream_id id, const producer_tag& tag) override {
    batch_.Put(store_.in(family::producers), producer_key(id, tag.id), encode(tag));
    producers_[{id, tag.id}] = tag;
  }

  void drop_chunks(stream_id id) override { batch_.DeleteRange(store_.in(chunks), id_key(id), id_key(id + 1)); }

  void erase(const stream_row& row) override {
    auto id = row.id;
    count_ -= is_of_generation(row.path) ? 0 : 1;
    batch_.Delete(store_.in(names), row.path);
    batch_.Delete(store_.in(streams), id_key(id));
    batch_.Delete(store_.in(due), id_key(id));
    drop_chunks(id);
    batch_.DeleteRange(store_.in(family::producers), id_key(id), id_key(id + 1));
    ids_[row.path] = 0;
    rows_[id] = std::nullopt;
  }

  void write() {
    rocksdb::WriteOptions synced;
    synced.sync = true;
    store_.written_ += batch_.GetDataSize();
    check(store_.db_->Write(synced, &batch_), "writing to the chunk store");
    store_.last_id_ = last_id_;
    store_.count_ = count_;
    if (store_.known_.size() > most_known)
      store_.known_.clear();
    for (auto& [id, row] : rows_)
      store_.known_[id] = std::move(row);
  }

private:
  rocksdb_chunk_store& store_;
  rocksdb::WriteBatch batch_;
  stream_id last_id_;
  size_t count_;
  std::map<std::string, stream_id> ids_; ///< 0: there is none
  std::map<stream_id, std::optional<stream_row>> rows_;
  std::map<std::pair<stream_id, std::string>, producer_tag> producers_;
};

rocksdb_chunk_store::rocksdb_chunk_store(options where) : options_(std::move(where)) { open(); }

rocksdb_chunk_store::~rocksdb_chunk_store() { close(); }

void rocksdb_chunk_store::open() {
  auto wanted = column_families();
  rocksdb::DB* db = nullptr;
  check(rocksdb::DB::Open(database_options(), options_.folder.string(), wanted, &families_, &db), "opening the chunk store");
  db_.reset(db);
  garbage_ = {};
  known_.clear();
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
  for (auto* family : families_)
    db_->DestroyColumnFamilyHandle(family);
  families_.clear();
  db_->Close();
  db_.reset();
}

/// Throws unless something can be made durable.
void rocksdb_chunk_store::probe() const {
  auto path = (options_.folder / "probe").string();
  auto file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bool good = file >= 0 && ::write(file, "?", 1) == 1 && ::fsync(file) == 0;
  auto error = errno;
  if (file >= 0)
    ::close(file);
  ::unlink(path.c_str());
  if (!good)
    throw adapter_error{ec::unavailable, "the disk takes nothing: " + std::generic_category().message(error)};
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
  if (std::filesystem::space(options_.folder).available < options_.reserve_bytes)
    return false;
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
  auto row = id ? get(streams, *id) : std::nullopt;
  return row ? std::optional{decode_stream(*row)} : std::nullopt;
}

std::optional<stream_row> rocksdb_chunk_store::load_row(stream_id id) {
  std::shared_lock lock{mutex_};
  if (!db_)
    throw adapter_error{ec::unavailable, "the chunk store is closed"};
  auto row = get(streams, id_key(id));
  return row ? std::optional{decode_stream(*row)} : std::nullopt;
}

std::vector<stream_row> rocksdb_chunk_store::load_expiring(stream_id above, size_t limit) {
  std::shared_lock lock{mutex_};
  if (!db_)
    throw adapter_error{ec::unavailable, "the chunk store is closed"};
  std::vector<stream_row> found;
  std::unique_ptr<rocksdb::Iterator> at{db_->NewIterator({}, in(due))};
  for (at->Seek(id_key(above + 1)); at->Valid() && found.size() < limit; at->Next())
    if (auto row = get(streams, at->key().ToString()))
      found.push_back(decode_stream(*row));
  check(at->status(), "reading what expires");
  return found;
}

std::vector<chunk> rocksdb_chunk_store::load_chunks(stream_id id, position after, uint64_t limit) {
  std::shared_lock lock{mutex_};
  if (!db_)
    throw adapter_error{ec::unavailable, "the chunk store is closed"};
  std::vector<chunk> found;
  auto prefix = id_key(id);
  rocksdb::ReadOptions how;
  how.verify_checksums = false; // each record has one of its own
  how.fill_cache = false;       // records lie beside the keys, and are read once
  std::unique_ptr<rocksdb::Iterator> at{db_->NewIterator(how, in(chunks))};
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
