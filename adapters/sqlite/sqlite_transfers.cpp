#include "adapters/sqlite/sqlite_catalogue.hpp"

namespace segue::sqlite {

namespace {

const std::string columns = "id, " + column_names<transfer_row>();

std::string select(const std::string& rest) { return "SELECT " + columns + " FROM transfers " + rest; }

std::optional<transfer_row> row_with(database& db, uint64_t id) {
  statement s{db, select("WHERE id = ?")};
  return first_of(rows_of<transfer_row>(s.bind(id)));
}

std::optional<transfer_row> row_at(database& db, const std::string& path) {
  statement s{db, select("WHERE path = ?")};
  return first_of(rows_of<transfer_row>(s.bind(path)));
}

bool gives_way(const transfer_row& old, const transfer_row& wish) {
  return old.state == transfer_state::done || (wish.kind == transfer_kind::remove && old.kind != transfer_kind::remove);
}

/// Removes the row that gives way; what was done with it until now ends with its lease.
void replace(database& db, const transfer_row& old, transfer_row& wish) {
  wish.lease = old.lease + 1;
  if (old.state == transfer_state::running)
    wish.due_at_ms = std::max(wish.due_at_ms, quiet_after(old));
  statement{db, "DELETE FROM transfers WHERE id = ?"}.bind(old.id).step();
}

void add(database& db, transfer_row& row) {
  statement s{
      db, "INSERT INTO transfers (" + column_names<transfer_row>() + ") VALUES (" + placeholders<transfer_row>() + ")"};
  bind_row(s, row).step();
  row.id = static_cast<uint64_t>(db.last_row_id());
}

void write(database& db, const transfer_row& row) {
  statement s{db, "UPDATE transfers SET (" + column_names<transfer_row>() + ") = (" + placeholders<transfer_row>()
                      + ") WHERE id = ?"};
  bind_row(s, row).bind(row.id).step();
}

} // namespace

transfer_row sqlite_catalogue::insert(const transfer_row& row) {
  auto db = writer();
  transaction alone{*db};
  auto wish = as_new(row);
  if (auto old = row_at(*db, row.path)) {
    if (!gives_way(*old, wish))
      return *old;
    replace(*db, *old, wish);
  }
  add(*db, wish);
  alone.commit();
  return wish;
}

std::vector<transfer_row> sqlite_catalogue::lease(
    const std::string& holder, int64_t now_ms, int64_t until_ms, uint32_t limit) {
  auto db = writer();
  transaction alone{*db};
  statement due{*db, select(R"(
      WHERE state IN ('waiting', 'running') AND due_at_ms <= ? AND (state = 'waiting' OR leased_until_ms <= ?)
      ORDER BY due_at_ms, id LIMIT ?)")};
  auto rows = rows_of<transfer_row>(due.bind(now_ms).bind(now_ms).bind(limit));
  for (auto& x : rows) {
    if (x.state == transfer_state::running) {
      x.attempts = says_away(x.error) ? 1 : x.attempts + 1;
      x.error = lost_lease(x.holder);
    }
    x.state = transfer_state::running;
    x.holder = holder;
    ++x.lease;
    x.leased_until_ms = until_ms;
    x.changed_at_ms = now_ms;
    write(*db, x);
  }
  alone.commit();
  return rows;
}

bool sqlite_catalogue::store(const transfer_row& row) {
  auto db = writer();
  statement s{*db, "UPDATE transfers SET (" + column_names<transfer_row>() + ") = (" + placeholders<transfer_row>()
                       + ") WHERE id = ? AND lease = ?"};
  bind_row(s, row).bind(row.id).bind(row.lease).step();
  return db->changes() > 0;
}

std::optional<transfer_row> sqlite_catalogue::retry(uint64_t id, int64_t now_ms) {
  auto db = writer();
  transaction alone{*db};
  auto row = row_with(*db, id);
  if (!row || (row->state != transfer_state::dead && row->state != transfer_state::waiting))
    return row;
  row->state = transfer_state::waiting;
  row->attempts = 0;
  row->due_at_ms = row->changed_at_ms = now_ms;
  write(*db, *row);
  alone.commit();
  return row;
}

std::optional<transfer_row> sqlite_catalogue::drop(uint64_t id) {
  auto db = writer();
  transaction alone{*db};
  auto row = row_with(*db, id);
  if (!row || !may_be_dropped(*row))
    return row;
  statement{*db, "DELETE FROM transfers WHERE id = ?"}.bind(id).step();
  alone.commit();
  return row;
}

void sqlite_catalogue::prune(int64_t before_ms) {
  auto db = writer();
  statement{*db, "DELETE FROM transfers WHERE state = 'done' AND changed_at_ms < ?"}.bind(before_ms).step();
}

std::optional<transfer_row> sqlite_catalogue::find_transfer(uint64_t id) {
  auto db = reader();
  return row_with(*db, id);
}

std::vector<transfer_row> sqlite_catalogue::transfers(uint64_t after, uint32_t limit, bool dead_only) {
  auto db = reader();
  auto which = dead_only ? std::string{"state = 'dead' AND "} : std::string{};
  statement s{*db, select("WHERE " + which + "id > ? ORDER BY id LIMIT ?")};
  return rows_of<transfer_row>(s.bind(within_range(after)).bind(limit));
}

std::vector<transfer_row> sqlite_catalogue::changed_transfers(int64_t since_ms, uint32_t limit) {
  auto db = reader();
  statement s{*db, select("WHERE changed_at_ms >= ? ORDER BY changed_at_ms, id LIMIT ?")};
  return rows_of<transfer_row>(s.bind(since_ms).bind(limit));
}

} // namespace segue::sqlite
