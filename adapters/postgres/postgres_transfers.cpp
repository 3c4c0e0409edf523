#include "adapters/postgres/postgres_catalogue.hpp"

namespace segue::postgres {

namespace {

const std::string columns = "id, " + column_names<transfer_row>();

const statement read_clock{"read_clock", effect::none, "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"};

/// Of two who insert the same path at the same time the second one sees the row of the first. No row comes back when
/// the one that is there stays. `quiet_after` is what a removal waits for.
const statement insert_row{"insert_transfer", effect::changes,
    "INSERT INTO transfers AS old (" + column_names<transfer_row>() + ") VALUES (" + placeholders<transfer_row>(1)
        + R"()
    ON CONFLICT (path) DO UPDATE SET
      id = excluded.id, kind = excluded.kind, state = excluded.state, attempts = excluded.attempts,
      due_at_ms = CASE WHEN old.state = 'running' THEN greatest(excluded.due_at_ms,
                         old.leased_until_ms + least(greatest(old.leased_until_ms - old.changed_at_ms, 0), )"
        + std::to_string(longest_quiet_ms) + R"())
                       ELSE excluded.due_at_ms END,
      holder = '', lease = old.lease + 1, leased_until_ms = 0,
      bytes_done = excluded.bytes_done, bytes_total = excluded.bytes_total, error = excluded.error,
      created_at_ms = excluded.created_at_ms, changed_at_ms = excluded.changed_at_ms
    WHERE old.state = 'done' OR (excluded.kind = 'remove' AND old.kind <> 'remove')
    RETURNING )"
        + columns};

const statement find_path{
    "find_transfer_of_path", effect::none, "SELECT " + columns + " FROM transfers WHERE path = $1"};

/// Whether the last attempt failed because somebody was away, as `says_away` has it.
std::string says_away_sql() {
  std::string words;
  for (auto code : away_codes)
    words += (words.empty() ? "'" : ", '") + to_string(code) + "'";
  return "split_part(error, ':', 1) IN (" + words + ")";
}

/// Rows that somebody else is leasing at this moment are passed over.
const statement lease_rows{"lease_transfers", effect::changes, R"(
    WITH due AS (
      SELECT id AS due_id FROM transfers
      WHERE state IN ('waiting', 'running') AND due_at_ms <= $2 AND (state = 'waiting' OR leased_until_ms <= $2)
      ORDER BY due_at_ms, id LIMIT $4 FOR UPDATE SKIP LOCKED),
    leased AS (
      UPDATE transfers
      SET attempts = CASE WHEN state <> 'running' THEN attempts WHEN )" + says_away_sql() + R"( THEN 1 ELSE attempts + 1 END,
          error = CASE WHEN state = 'running' THEN ')" + lost_lease("") + R"(' || holder ELSE error END,
          state = 'running', holder = $1, lease = lease + 1, leased_until_ms = $3, changed_at_ms = $2
      FROM due WHERE id = due_id
      RETURNING )" + columns + R"()
    SELECT )" + columns + " FROM leased ORDER BY due_at_ms, id"};

const statement store_row{"store_transfer", effect::changes,
    "UPDATE transfers SET (" + column_names<transfer_row>() + ") = (" + placeholders<transfer_row>(3)
        + ") WHERE id = $1 AND lease = $2"};

const statement retry_row{"retry_transfer", effect::changes, R"(
    UPDATE transfers SET state = 'waiting', attempts = 0, due_at_ms = $2, changed_at_ms = $2
    WHERE id = $1 AND state IN ('dead', 'waiting')
    RETURNING )" + columns};

/// As `may_be_dropped` has it.
const statement drop_row{"drop_transfer", effect::changes, R"(
    DELETE FROM transfers WHERE id = $1 AND (state = 'done' OR (state <> 'running' AND kind <> 'remove'))
    RETURNING )" + columns};

const statement prune_rows{
    "prune_transfers", effect::changes, "DELETE FROM transfers WHERE state = 'done' AND changed_at_ms < $1"};

const statement find_row{"find_transfer", effect::none, "SELECT " + columns + " FROM transfers WHERE id = $1"};

const statement all_rows{
    "list_transfers", effect::none, "SELECT " + columns + " FROM transfers WHERE id > $1 ORDER BY id LIMIT $2"};

const statement dead_rows{"list_dead_transfers", effect::none,
    "SELECT " + columns + " FROM transfers WHERE id > $1 AND state = 'dead' ORDER BY id LIMIT $2"};

const statement changed_rows{"list_changed_transfers", effect::none,
    "SELECT " + columns + " FROM transfers WHERE changed_at_ms >= $1 ORDER BY changed_at_ms, id LIMIT $2"};

/// The changed row, or the one that could not be changed.
std::optional<transfer_row> changed_or_found(session now, const statement& change, const values& with, uint64_t id) {
  if (auto changed = rows_of<transfer_row>(now.run(change, with)); !changed.empty())
    return changed.front();
  values x;
  return first_of(rows_of<transfer_row>(now.run(find_row, x.bind(id))));
}

} // namespace

std::optional<int64_t> postgres_catalogue::clock_ms() { return connections_.run(read_clock)[0][0].as<int64_t>(); }

transfer_row postgres_catalogue::insert(const transfer_row& row) {
  values x;
  bind_row(x, as_new(row));
  values path;
  path.bind(row.path);
  auto now = connections_.take();
  for (int tries = 0; tries < 3; ++tries) { // the row that was there may be dropped in between
    if (auto inserted = rows_of<transfer_row>(now.run(insert_row, x)); !inserted.empty())
      return inserted.front();
    if (auto found = rows_of<transfer_row>(now.run(find_path, path)); !found.empty())
      return found.front();
  }
  throw adapter_error{
      ec::busy, server_.shown + ": the transfer of " + row.path + " comes and goes; trying again helps"};
}

std::vector<transfer_row> postgres_catalogue::lease(
    const std::string& holder, int64_t now_ms, int64_t until_ms, uint32_t limit) {
  values x;
  return rows_of<transfer_row>(connections_.run(lease_rows, x.bind(holder).bind(now_ms).bind(until_ms).bind(limit)));
}

bool postgres_catalogue::store(const transfer_row& row) {
  values x;
  return connections_.run(store_row, bind_row(x.bind(row.id).bind(row.lease), row)).affected_rows() > 0;
}

std::optional<transfer_row> postgres_catalogue::retry(uint64_t id, int64_t now_ms) {
  values x;
  return changed_or_found(connections_.take(), retry_row, x.bind(id).bind(now_ms), id);
}

std::optional<transfer_row> postgres_catalogue::drop(uint64_t id) {
  values x;
  return changed_or_found(connections_.take(), drop_row, x.bind(id), id);
}

void postgres_catalogue::prune(int64_t before_ms) {
  values x;
  connections_.run(prune_rows, x.bind(before_ms));
}

std::optional<transfer_row> postgres_catalogue::find_transfer(uint64_t id) {
  values x;
  return first_of(rows_of<transfer_row>(connections_.run(find_row, x.bind(id))));
}

std::vector<transfer_row> postgres_catalogue::transfers(uint64_t after, uint32_t limit, bool dead_only) {
  values x;
  return rows_of<transfer_row>(
      connections_.run(dead_only ? dead_rows : all_rows, x.bind(within_range(after)).bind(limit)));
}

std::vector<transfer_row> postgres_catalogue::changed_transfers(int64_t since_ms, uint32_t limit) {
  values x;
  return rows_of<transfer_row>(connections_.run(changed_rows, x.bind(since_ms).bind(limit)));
}

} // namespace segue::postgres
