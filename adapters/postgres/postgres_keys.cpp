#include "adapters/postgres/postgres_catalogue.hpp"

namespace segue::postgres {

namespace {

const statement insert_row{"insert_key", effect::changes,
    "INSERT INTO api_keys (" + column_names<api_key>() + ") VALUES (" + placeholders<api_key>(1) + ")"};

const statement find_hash{
    "find_key", effect::none, "SELECT " + column_names<api_key>() + " FROM api_keys WHERE hash = $1"};

const statement all_rows{
    "list_keys", effect::none, "SELECT " + column_names<api_key>() + " FROM api_keys ORDER BY created_at_ms, id"};

const statement erase_row{"erase_key", effect::changes, "DELETE FROM api_keys WHERE id = $1"};

} // namespace

void postgres_catalogue::insert(const api_key& key) {
  values x;
  connections_.run(insert_row, bind_row(x, key));
}

std::optional<api_key> postgres_catalogue::find_key(const std::string& hash) {
  values x;
  return first_of(rows_of<api_key>(connections_.run(find_hash, x.bind(hash))));
}

std::vector<api_key> postgres_catalogue::keys() { return rows_of<api_key>(connections_.run(all_rows)); }

bool postgres_catalogue::erase_key(const std::string& id) {
  values x;
  return connections_.run(erase_row, x.bind(id)).affected_rows() > 0;
}

} // namespace segue::postgres
