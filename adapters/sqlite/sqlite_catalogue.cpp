#include "adapters/sqlite/sqlite_catalogue.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace segue::sqlite {

namespace {

/// Each migration is applied once, in order; the schema's version is how many were. Never change one that was released.
constexpr auto migrations = std::array{
    R"(CREATE TABLE generations (
         accepted INTEGER PRIMARY KEY AUTOINCREMENT,
         request_id TEXT NOT NULL UNIQUE,
         user_id TEXT NOT NULL,
         prompt TEXT NOT NULL,
         duration_s REAL NOT NULL,
         seed INTEGER NOT NULL,
         realtime INTEGER NOT NULL,
         generator TEXT NOT NULL,
         generator_version TEXT NOT NULL,
         state TEXT NOT NULL,
         decided TEXT NOT NULL,
         reason TEXT NOT NULL,
         attempt INTEGER NOT NULL,
         created_at_ms INTEGER NOT NULL,
         started_at_ms INTEGER NOT NULL,
         ended_at_ms INTEGER NOT NULL,
         audio_bytes INTEGER NOT NULL,
         expected_bytes INTEGER NOT NULL);
       CREATE INDEX generations_by_user ON generations (user_id, accepted);
       CREATE INDEX generations_unfinished ON generations (accepted) WHERE state IN ('queued', 'running', 'purging');)",
    "ALTER TABLE generations ADD COLUMN producer TEXT NOT NULL DEFAULT '';",
};

/// All columns but `accepted`, in the order of `bind_row` and `read_row`.
constexpr const char* columns = "request_id, user_id, prompt, duration_s, seed, realtime, generator, generator_version, "
                                "producer, state, decided, reason, attempt, created_at_ms, started_at_ms, ended_at_ms, audio_bytes, "
                                "expected_bytes";

generation_state state_from(const std::string& text) {
  for (auto x : {generation_state::queued, generation_state::running, generation_state::completed,
           generation_state::failed, generation_state::cancelled, generation_state::purging})
    if (to_string(x) == text)
      return x;
  throw adapter_error{ec::corrupt, "the catalogue holds an unknown state: " + text};
}

void bind_row(statement& s, const generation_row& x) {
  s.bind(x.request_id).bind(x.user_id).bind(x.prompt).bind(x.duration_s).bind(x.seed).bind(x.realtime);
  s.bind(x.generator).bind(x.generator_version).bind(x.producer).bind(to_string(x.state)).bind(to_string(x.decided)).bind(x.reason).bind(x.attempt);
  s.bind(x.created_at_ms).bind(x.started_at_ms).bind(x.ended_at_ms).bind(x.audio_bytes).bind(x.expected_bytes);
}

std::vector<generation_row> read_rows(statement& s) {
  std::vector<generation_row> rows;
  while (s.step()) {
    auto& x = rows.emplace_back();
    std::string state;
    std::string decided;
    s >> x.accepted >> x.request_id >> x.user_id >> x.prompt >> x.duration_s >> x.seed >> x.realtime >> x.generator
        >> x.generator_version >> x.producer >> state >> decided >> x.reason >> x.attempt >> x.created_at_ms >> x.started_at_ms
        >> x.ended_at_ms >> x.audio_bytes >> x.expected_bytes;
    x.state = state_from(state);
    x.decided = state_from(decided);
  }
  return rows;
}

std::string select(const std::string& rest) {
  return std::string{"SELECT accepted, "} + columns + " FROM generations " + rest;
}

} // namespace

sqlite_catalogue::sqlite_catalogue(const std::string& file) : db_(file) {
  db_.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
  migrate();
}

void sqlite_catalogue::migrate() {
  size_t version = 0;
  {
    statement s{db_, "PRAGMA user_version"};
    if (s.step())
      s >> version;
  }
  if (version > migrations.size())
    throw adapter_error{ec::conflict, "the catalogue was written by a newer version of Segue"};
  for (; version < migrations.size(); ++version) {
    auto sql = std::string{"BEGIN IMMEDIATE;"} + migrations[version]
        + "PRAGMA user_version = " + std::to_string(version + 1) + "; COMMIT;";
    db_.run(sql.c_str());
  }
}

uint64_t sqlite_catalogue::insert(const generation_row& row) {
  statement s{db_, std::string{"INSERT INTO generations ("} + columns + ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"};
  bind_row(s, row);
  s.step();
  return static_cast<uint64_t>(db_.last_row_id());
}

bool sqlite_catalogue::store(const generation_row& row) {
  statement s{db_, std::string{"UPDATE generations SET ("} + columns
      + ") = (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) WHERE request_id = ?"};
  bind_row(s, row);
  s.bind(row.request_id).step();
  return db_.changes() > 0;
}

void sqlite_catalogue::erase(const std::string& request_id) {
  statement{db_, "DELETE FROM generations WHERE request_id = ?"}.bind(request_id).step();
}

std::optional<generation_row> sqlite_catalogue::find(const std::string& request_id) {
  statement s{db_, select("WHERE request_id = ?")};
  auto rows = read_rows(s.bind(request_id));
  return rows.empty() ? std::nullopt : std::optional{std::move(rows.front())};
}

std::vector<generation_row> sqlite_catalogue::newest(const std::string& user_id, uint64_t before, uint32_t limit) {
  auto bound = static_cast<int64_t>(std::min<uint64_t>(before, std::numeric_limits<int64_t>::max()));
  auto whose = user_id.empty() ? std::string{} : std::string{"user_id = ? AND "};
  statement s{db_, select("WHERE " + whose + "accepted < ? AND state <> 'purging' ORDER BY accepted DESC LIMIT ?")};
  if (!user_id.empty())
    s.bind(user_id);
  return read_rows(s.bind(bound).bind(limit));
}

std::vector<generation_row> sqlite_catalogue::unfinished(uint64_t after, uint32_t limit) {
  statement s{db_, select("WHERE state IN ('queued', 'running', 'purging') AND accepted > ? ORDER BY accepted LIMIT ?")};
  return read_rows(s.bind(after).bind(limit));
}

} // namespace segue::sqlite
