#include "adapters/sqlite/sqlite_catalogue.hpp"

#include "adapters/sqlite/migrations.hpp"

#include <thread>

namespace segue::sqlite {

namespace {

std::string select(const std::string& rest) {
  return "SELECT accepted, " + column_names<generation_row>() + " FROM generations " + rest;
}

/// True: others may read while one writes. False: there is no file, or none that can do so.
bool begin_wal(database& db) {
  statement s{db, "PRAGMA journal_mode = WAL"};
  std::string mode;
  if (s.step())
    s >> mode;
  return mode == "wal";
}

/// For this alone SQLite does not wait until other processes have opened the file.
bool begin_wal_in_time(database& db) {
  for (auto end = std::chrono::steady_clock::now() + patience;;
       std::this_thread::sleep_for(std::chrono::milliseconds{5}))
    try {
      return begin_wal(db);
    } catch (const adapter_error&) {
      if (sqlite3_errcode(db.get()) != SQLITE_BUSY || std::chrono::steady_clock::now() > end)
        throw;
    }
}

std::unique_ptr<database> open_reader(const std::string& file) {
  auto db = std::make_unique<database>(file);
  db->run("PRAGMA query_only = ON");
  return db;
}

} // namespace

std::string file_of(const std::string& rest, const std::filesystem::path& data) {
  if (rest.empty())
    return (data / "catalogue.sqlite").string();
  auto file = std::filesystem::path{rest.starts_with("///") ? rest.substr(2) : rest}.lexically_normal();
  bool possible = file.is_absolute() && file.has_filename() && (rest.starts_with("///") || !rest.starts_with("//"));
  if (!possible && rest != ":memory:")
    throw adapter_error{ec::invalid_argument,
        "\"sqlite:" + rest + "\" is not possible; it must be \"sqlite:\", \"sqlite::memory:\" or like \"sqlite:/absolute/file\""};
  return possible ? file.string() : rest;
}

sqlite_catalogue::sqlite_catalogue(const std::string& file, size_t readers, bool migrates) {
  auto db = std::make_unique<database>(file, migrates);
  has_readers_ = begin_wal_in_time(*db) && readers > 0;
  db->run("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
  migrates ? migrate(*db) : expect_migrated(*db);
  writer_.add(std::move(db));
  for (size_t i = 0; has_readers_ && i < readers; ++i)
    readers_.add(open_reader(file));
}

adapter_error sqlite_catalogue::in_use() {
  return {ec::busy, "the catalogue is in use, and did not come free within " + std::to_string(patience.count()) + " ms"};
}

uint64_t sqlite_catalogue::insert(const generation_row& row) {
  auto db = writer();
  statement s{*db, "INSERT INTO generations (" + column_names<generation_row>() + ") VALUES ("
                       + placeholders<generation_row>() + ")"};
  bind_row(s, row).step();
  return static_cast<uint64_t>(db->last_row_id());
}

bool sqlite_catalogue::store(const generation_row& row) {
  auto db = writer();
  statement s{*db, "UPDATE generations SET (" + column_names<generation_row>() + ") = ("
                       + placeholders<generation_row>() + ") WHERE request_id = ?"};
  bind_row(s, row).bind(row.request_id).step();
  return db->changes() > 0;
}

void sqlite_catalogue::erase(const std::string& request_id) {
  auto db = writer();
  statement{*db, "DELETE FROM generations WHERE request_id = ?"}.bind(request_id).step();
}

std::optional<generation_row> sqlite_catalogue::find(const std::string& request_id) {
  auto db = reader();
  statement s{*db, select("WHERE request_id = ?")};
  return first_of(rows_of<generation_row>(s.bind(request_id)));
}

std::vector<generation_row> sqlite_catalogue::newest(const std::string& user_id, uint64_t before, uint32_t limit) {
  auto db = reader();
  auto whose = user_id.empty() ? std::string{} : std::string{"user_id = ? AND "};
  statement s{*db, select("WHERE " + whose + "accepted < ? AND state <> 'purging' ORDER BY accepted DESC LIMIT ?")};
  if (!user_id.empty())
    s.bind(user_id);
  return rows_of<generation_row>(s.bind(within_range(before)).bind(limit));
}

std::vector<generation_row> sqlite_catalogue::unfinished(uint64_t after, uint32_t limit) {
  auto db = reader();
  statement s{
      *db, select("WHERE state IN ('queued', 'running', 'purging') AND accepted > ? ORDER BY accepted LIMIT ?")};
  return rows_of<generation_row>(s.bind(within_range(after)).bind(limit));
}

} // namespace segue::sqlite
