#include "adapters/redis/transaction.hpp"

#include "actors/sound.hpp"
#include "adapters/redis/scripts.hpp"
#include "adapters/redis/stored.hpp"

namespace segue::redis {

namespace {

/// The paths and ids that a write looks at first.
struct looked_at {
  words paths;
  std::vector<stream_id> ids;

  void operator()(const create_stream& x) {
    paths.push_back(x.wish.path);
    if (!x.wish.forked_from.empty())
      paths.push_back(x.wish.forked_from);
  }
  void operator()(const claim_stream& x) { paths.push_back(x.path); }
  void operator()(const delete_stream& x) { paths.push_back(x.path); }
  void operator()(const put_chunks& x) { ids.push_back(x.id); }
  void operator()(const mark_archive& x) { ids.push_back(x.id); }
  void operator()(const restore_chunks& x) { ids.push_back(x.id); }
};

stream_id id_from(const value& x) { return x.is_nil() ? 0 : std::stoull(std::string{x.text()}); }

} // namespace

transaction::transaction(connection& server, const key_names& keys, known_rows& known)
    : server_(server), keys_(keys), known_(known) {}

// -- what there is -----------------------------------------------------------------------------------------------------

void transaction::prefetch(std::span<const stream_write> writes) {
  looked_at these;
  for (const auto& write : writes)
    std::visit(these, write);
  if (!these.paths.empty()) {
    words command{"HMGET", keys_.names()};
    command.insert(command.end(), these.paths.begin(), these.paths.end());
    auto answer = server_.run(command);
    for (size_t i = 0; i < these.paths.size(); ++i)
      if (auto id = ids_[these.paths[i]] = id_from(answer[i]))
        these.ids.push_back(id);
  }
  known_.load(server_, these.ids);
}

const stream_row* transaction::find(const std::string& path) {
  auto id = ids_.find(path);
  if (id == ids_.end())
    id = ids_.emplace(path, id_from(server_.run({"HGET", keys_.names(), path}))).first;
  return id->second == 0 ? nullptr : find(id->second);
}

const stream_row* transaction::find(stream_id id) {
  auto row = rows_.find(id);
  if (row == rows_.end()) {
    const auto& known = known_.row(server_, id);
    expected_[id] = known.bytes;
    row = rows_.emplace(id, known.row).first;
  }
  return row->second ? &*row->second : nullptr;
}

std::vector<producer_tag> transaction::producers(stream_id id) {
  std::vector<producer_tag> stored;
  auto answer = server_.run({"HVALS", keys_.producers(id)});
  for (size_t i = 0; i < answer.size(); ++i)
    stored.push_back(tag_from(answer[i]));
  return newest_producers(std::move(stored), id, producers_);
}

counters& transaction::numbers() const {
  if (!counters_)
    counters_ = known_.numbers(server_);
  return *counters_;
}

size_t transaction::count() const { return numbers().count; }

// -- what becomes of it ------------------------------------------------------------------------------------------------

void transaction::insert(stream_row& row) {
  numbers().count += is_of_generation(row.path) ? 0 : 1;
  row.id = ++numbers().last_id;
  run("HSET", keys_.names(), row.path, std::to_string(row.id));
  if (expires(row))
    run("ZADD", keys_.due(), "0", due_member(row.id));
  ids_[row.path] = row.id;
  expected_[row.id] = "";
  needs_room_ = true;
  save(row);
}

void transaction::save(const stream_row& row) {
  auto id = row.id; // `row` may live in `rows_`
  rows_[id] = row;
  saved_.insert(id);
}

void transaction::put(stream_id id, const chunk& record) {
  const auto* row = find(id);
  if (row && row->archive == archive_state::evicted && !follows(*row, record))
    return;
  run("XADD", keys_.chunks(id), entry_id(record.start), entry_field, encode(record));
  needs_room_ = true;
}

/// Entries are added at the end only. What is there already is what is restored once more; what would leave a gap is a piece
/// of somebody who comes too late, and the gap could never be filled.
bool transaction::follows(const stream_row& row, const chunk& record) {
  auto& there = end_of(row);
  if (record.start > there.end)
    gaps_.insert(row.id);
  if (record.start != there.end)
    return false;
  there.end = record.end();
  return true;
}

bool transaction::is_incomplete(stream_id id) {
  const auto* row = find(id);
  return row && row->archive == archive_state::evicted && end_of(*row).end != row->tail;
}

transaction::restored_end& transaction::end_of(const stream_row& row) {
  auto known = restored_.find(row.id);
  if (known != restored_.end())
    return known->second;
  auto answer = server_.run({"XREVRANGE", keys_.chunks(row.id), "+", "-", "COUNT", "1"});
  restored_end x{"", row.fork_position};
  if (answer.size() > 0)
    x = {std::string{answer[0][0].text()}, record_from(answer[0][0], answer[0][1][1]).end()};
  return restored_.emplace(row.id, std::move(x)).first->second;
}

void transaction::put(stream_id id, const producer_tag& tag) {
  run("HSET", keys_.producers(id), tag.id, encode(tag));
  producers_[{id, tag.id}] = tag;
}

void transaction::drop_chunks(stream_id id) {
  run("UNLINK", keys_.chunks(id));
  const auto* row = find(id);
  restored_[id].end = row ? row->fork_position : 0;
}

void transaction::erase(const stream_row& row) {
  auto id = row.id;
  numbers().count -= is_of_generation(row.path) ? 0 : 1;
  run("HDEL", keys_.names(), row.path);
  run("UNLINK", keys_.row(id), keys_.chunks(id), keys_.producers(id));
  if (expires(row))
    run("ZREM", keys_.due(), due_member(id));
  ids_[row.path] = 0;
  saved_.erase(id);
  rows_[id] = std::nullopt;
}

// -- the script --------------------------------------------------------------------------------------------------------

/// Rows and numbers once, as they are in the end.
void transaction::finish(std::map<stream_id, known_row>& written) {
  for (auto& [id, row] : rows_)
    written[id] = {row && !saved_.contains(id) ? expected_[id] : row ? encode(*row) : "", row};
  for (auto id : saved_)
    run("SET", keys_.row(id), written[id].bytes);
  if (!counters_)
    return;
  auto set = [this](const std::string& key, std::string& stored, uint64_t now) {
    if (std::to_string(now) != stored)
      run("SET", key, stored = std::to_string(now));
  };
  set(keys_.last_id(), counters_->last_id_bytes, counters_->last_id);
  set(keys_.count(), counters_->count_bytes, counters_->count);
}

transaction::result transaction::write(const std::string& epoch) {
  words arguments{epoch, std::to_string(expected_.size() + (counters_ ? 2 : 0))};
  for (const auto& [id, bytes] : expected_)
    arguments.insert(arguments.end(), {keys_.row(id), bytes});
  if (counters_)
    arguments.insert(arguments.end(),
        {keys_.last_id(), counters_->last_id_bytes, keys_.count(), counters_->count_bytes});
  auto ends = arguments.size();
  arguments.emplace_back(); // filled in below
  size_t count = 0;
  for (const auto& [id, there] : restored_)
    if (there.last) {
      arguments.insert(arguments.end(), {keys_.chunks(id), *there.last});
      ++count;
    }
  arguments[ends] = std::to_string(count);
  std::map<stream_id, known_row> written;
  finish(written);
  arguments.insert(arguments.end(), std::make_move_iterator(commands_.begin()), std::make_move_iterator(commands_.end()));
  auto answer =
      server_.run(needs_room_ ? scripts::commit : scripts::commit_in_no_room, {keys_.epoch()}, arguments);
  if (auto seen = learn(answer); seen != result::done)
    return seen;
  for (auto& [id, row] : written)
    known_.remember(id, std::move(row));
  if (counters_)
    known_.remember(*counters_);
  known_.tidy();
  return result::done;
}

/// What is not as expected is told in the order of the expectations, and as it is: there is no need to ask for it.
transaction::result transaction::learn(const reply& answer) {
  if (answer.size() == 0)
    return answer.text() == "done" ? result::done : result::fenced;
  std::vector<stream_id> told;
  for (const auto& [id, bytes] : expected_)
    told.push_back(id);
  for (size_t i = 0; i + 1 < answer.size(); i += 2) {
    auto which = std::stoull(std::string{answer[i].text()}) - 1;
    if (which < told.size())
      known_.remember(told[which], known_row_from(answer[i + 1]));
    else
      known_.forget_counters(); // or it is the end of a Redis Stream, which is never remembered
  }
  return result::changed;
}

} // namespace segue::redis
