#include "adapters/sqlite/sqlite_catalogue.hpp"

namespace segue::sqlite {

void sqlite_catalogue::insert(const api_key& key) {
  auto db = writer();
  statement s{*db, "INSERT INTO api_keys (" + column_names<api_key>() + ") VALUES (" + placeholders<api_key>() + ")"};
  bind_row(s, key).step();
}

std::optional<api_key> sqlite_catalogue::find_key(const std::string& hash) {
  auto db = reader();
  statement s{*db, "SELECT " + column_names<api_key>() + " FROM api_keys WHERE hash = ?"};
  return first_of(rows_of<api_key>(s.bind(hash)));
}

std::vector<api_key> sqlite_catalogue::keys() {
  auto db = reader();
  statement s{*db, "SELECT " + column_names<api_key>() + " FROM api_keys ORDER BY created_at_ms, id"};
  return rows_of<api_key>(s);
}

bool sqlite_catalogue::erase_key(const std::string& id) {
  auto db = writer();
  statement{*db, "DELETE FROM api_keys WHERE id = ?"}.bind(id).step();
  return db->changes() > 0;
}

} // namespace segue::sqlite
