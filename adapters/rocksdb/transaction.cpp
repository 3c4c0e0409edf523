#include "adapters/rocksdb/transaction.hpp"

#include "actors/sound.hpp"
#include "adapters/rocksdb/errors.hpp"
#include "adapters/stream_rows.hpp"

namespace segue::rocksdb_engine {

namespace {

constexpr size_t most_known = 16384; ///< rows that are remembered; then it begins anew

} // namespace

rocksdb_chunk_store::transaction::transaction(rocksdb_chunk_store& store)
    : store_(store), last_id_(store.last_id_), count_(store.count_) {}

const stream_row* rocksdb_chunk_store::transaction::find(const std::string& path) {
  auto id = ids_.find(path);
  if (id == ids_.end()) {
    auto stored = store_.get(names, path);
    id = ids_.emplace(path, stored ? read_id(*stored) : 0).first;
  }
  return id->second == 0 ? nullptr : find(id->second);
}

const stream_row* rocksdb_chunk_store::transaction::find(stream_id id) {
  auto row = rows_.find(id);
  if (row == rows_.end()) {
    auto known = store_.known_.find(id);
    if (known != store_.known_.end())
      return &known->second;
    row = rows_.emplace(id, store_.read_row(id)).first;
  }
  return row->second ? &*row->second : nullptr;
}

std::vector<producer_tag> rocksdb_chunk_store::transaction::producers(stream_id id) {
  return newest_producers(store_.load_producers(id), id, producers_);
}

void rocksdb_chunk_store::transaction::insert(stream_row& row) {
  count_ += is_of_generation(row.path) ? 0 : 1;
  row.id = ++last_id_;
  batch_.Put(store_.in(meta), last_id_key, id_key(last_id_));
  batch_.Put(store_.in(names), row.path, id_key(row.id));
  if (expires(row))
    batch_.Put(store_.in(due), id_key(row.id), {});
  ids_[row.path] = row.id;
  write_row(row);
}

void rocksdb_chunk_store::transaction::save(const stream_row& row) {
  if (only_longer(row))
    rows_[row.id] = row;
  else
    write_row(row);
}

void rocksdb_chunk_store::transaction::put(stream_id id, const chunk& record) {
  batch_.Put(store_.in(chunks), chunk_key(id, record.start), encode(record));
}

void rocksdb_chunk_store::transaction::put(stream_id id, const producer_tag& tag) {
  batch_.Put(store_.in(family::producers), producer_key(id, tag.id), encode(tag));
  producers_[{id, tag.id}] = tag;
}

void rocksdb_chunk_store::transaction::drop_chunks(stream_id id) {
  batch_.DeleteRange(store_.in(chunks), id_key(id), id_key(id + 1));
  removes_ = true;
}

void rocksdb_chunk_store::transaction::erase(const stream_row& row) {
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

void rocksdb_chunk_store::transaction::write() {
  rocksdb::WriteOptions synced;
  synced.sync = true;
  store_.written_ += batch_.GetDataSize();
  check(store_.db_->Write(synced, &batch_), "writing to the chunk store");
  store_.last_id_ = last_id_;
  store_.count_ = count_;
  if (removes_)
    store_.room_.removed();
  if (store_.known_.size() > most_known)
    store_.known_.clear();
  for (auto& [id, row] : rows_)
    if (row)
      store_.known_[id] = std::move(*row);
    else
      store_.known_.erase(id);
}

/// Whether the records alone will tell what is new of it: see `read_row`.
bool rocksdb_chunk_store::transaction::only_longer(const stream_row& row) {
  const auto* before = find(row.id);
  if (!before)
    return false;
  auto longer = *before;
  longer.tail = row.tail;
  return longer == row;
}

void rocksdb_chunk_store::transaction::write_row(const stream_row& row) {
  batch_.Put(store_.in(streams), id_key(row.id), encode(row));
  rows_[row.id] = row;
}

} // namespace segue::rocksdb_engine
