#include "adapters/rocksdb/rocksdb_chunk_store.hpp"

#include "adapters/rocksdb/rows.hpp"
#include "adapters/stream_rules.hpp"

#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

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
class rocksdb_chunk_store::transaction {
public:
  explicit transaction(rocksdb_chunk_store& store) : store_(store), last_id_(store.last_id_) {}

  write_outcome apply_write(const create_stream& x) {
    if (auto* known = find(x.path))
      return {ec::none, {*known, false, {}}};
    auto row = new_row(++last_id_, x);
    batch_.Put(store_.in(meta), last_id_key, id_key(last_id_));
    batch_.Put(store_.in(names), x.path, id_key(row.id));
    ids_[x.path] = row.id;
    return {ec::none, {save(row), true, {}}};
  }

  write_outcome apply_write(const claim_stream& x) {
    auto* known = find(x.path);
    if (!known)
      return {ec::not_found, {}};
    auto row = *known;
    ++row.owner_epoch;
    save(row);
    auto known_producers = store_.load_producers(row.id);
    for (const auto& [key, tag] : producers_)
      if (key.first == row.id) {
        std::erase_if(known_producers, [&](const producer_tag& x) { return x.id == tag.id; });
        known_producers.push_back(tag);
      }
    return {ec::none, {row, false, std::move(known_producers)}};
  }

  write_outcome apply_write(const put_chunks& x) {
    auto* known = find(x.id);
    if (!known)
      return {ec::not_found, {}};
    auto row = *known;
    if (auto refused = judge(row, x); refused != ec::none)
      return {refused, {row, false, {}}};
    for (const auto& record : x.chunks)
      batch_.Put(store_.in(chunks), chunk_key(x.id, record.start), encode(record));
    for (const auto& tag : x.producers) {
      batch_.Put(store_.in(producers), producer_key(x.id, tag.id), encode(tag));
      producers_[{x.id, tag.id}] = tag;
    }
    apply(row, x);
    return {ec::none, {save(row), false, {}}};
  }

  write_outcome apply_write(const delete_stream& x) {
    auto* known = find(x.path);
    if (!known)
      return {};
    auto id = known->id;
    batch_.Delete(store_.in(names), x.path);
    batch_.Delete(store_.in(streams), id_key(id));
    batch_.DeleteRange(store_.in(chunks), id_key(id), id_key(id + 1));
    batch_.DeleteRange(store_.in(producers), id_key(id), id_key(id + 1));
    ids_[x.path] = 0;
    rows_[id] = std::nullopt;
    return {};
  }

  void write() {
    rocksdb::WriteOptions synced;
    synced.sync = true;
    store_.written_ += batch_.GetDataSize();
    check(store_.db_->Write(synced, &batch_), "writing to the chunk store");
    store_.last_id_ = last_id_;
    if (store_.known_.size() > most_known)
      store_.known_.clear();
    for (auto& [id, row] : rows_)
      store_.known_[id] = std::move(row);
  }

private:
  stream_row* find(const std::string& path) {
    auto id = ids_.find(path);
    if (id == ids_.end()) {
      auto stored = store_.get(names, path);
      id = ids_.emplace(path, stored ? read_id(*stored) : 0).first;
    }
    return id->second == 0 ? nullptr : find(id->second);
  }

  stream_row* find(stream_id id) {
    auto row = rows_.find(id);
    if (row == rows_.end() && store_.known_.contains(id))
      row = rows_.emplace(id, store_.known_[id]).first;
    if (row == rows_.end()) {
      auto stored = store_.get(streams, id_key(id));
      row = rows_.emplace(id, stored ? std::optional{decode_stream(*stored)} : std::nullopt).first;
    }
    return row->second ? &*row->second : nullptr;
  }

  const stream_row& save(const stream_row& row) {
    batch_.Put(store_.in(streams), id_key(row.id), encode(row));
    return *(rows_[row.id] = row);
  }

  rocksdb_chunk_store& store_;
  rocksdb::WriteBatch batch_;
  stream_id last_id_;
  std::map<std::string, stream_id> ids_; ///< 0: there is none
  std::map<stream_id, std::optional<stream_row>> rows_;
  std::map<std::pair<stream_id, std::string>, producer_tag> producers_;
};

rocksdb_chunk_store::rocksdb_chunk_store(options where) : options_(std::move(where)) { open(); }

rocksdb_chunk_store::~rocksdb_chunk_store() { close(); }

void rocksdb_chunk_store::open() {
  rocksdb::Options how;
  how.create_if_missing = true;
  how.create_missing_column_families = true;
  how.keep_log_file_num = 2;
  how.max_open_files = 256;
  how.max_total_wal_size = 64 << 20;
  how.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords; // a torn tail was never acknowledged
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(16 << 20);
  rocksdb::ColumnFamilyOptions family;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  family.write_buffer_size = 8 << 20;
  family.compression = rocksdb::kNoCompression; // sound is compressed already
  std::vector<rocksdb::ColumnFamilyDescriptor> wanted;
  for (auto name : {"default", "names", "streams", "chunks", "producers", "forks", "due"})
    wanted.emplace_back(name, family);
  rocksdb::DB* db = nullptr;
  check(rocksdb::DB::Open(how, options_.folder.string(), wanted, &families_, &db), "opening the chunk store");
  db_.reset(db);
  known_.clear();
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
  check_space();
  transaction together{*this};
  std::vector<write_outcome> outcomes;
  outcomes.reserve(writes.size());
  for (const auto& write : writes)
    outcomes.push_back(std::visit([&](const auto& x) { return together.apply_write(x); }, write));
  together.write();
  return outcomes;
}

/// Looks again after a while, or when much was written since.
void rocksdb_chunk_store::check_space() {
  auto now = std::chrono::steady_clock::now();
  if (now < look_again_ && written_ < options_.reserve_bytes / 16)
    return;
  if (std::filesystem::space(options_.folder).available < options_.reserve_bytes)
    throw adapter_error{ec::storage_full, "less free space than the reserve of "
        + std::to_string(options_.reserve_bytes >> 20) + " MiB"};
  look_again_ = now + std::chrono::milliseconds{100};
  written_ = 0;
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

std::vector<chunk> rocksdb_chunk_store::load_chunks(stream_id id, position after, uint64_t limit) {
  std::shared_lock lock{mutex_};
  if (!db_)
    throw adapter_error{ec::unavailable, "the chunk store is closed"};
  std::vector<chunk> found;
  auto prefix = id_key(id);
  std::unique_ptr<rocksdb::Iterator> at{db_->NewIterator({}, in(chunks))};
  uint64_t size = 0;
  try {
    at->SeekForPrev(chunk_key(id, after));
    if (!at->Valid() || !at->key().starts_with(prefix))
      at->Seek(prefix);
    for (; at->Valid() && at->key().starts_with(prefix); at->Next()) {
      auto record = decode_chunk(chunk_start(at->key().ToStringView()), at->value().ToStringView());
      if (record.end() <= after)
        continue;
      if (!found.empty() && size + record.bytes.size() > limit)
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
