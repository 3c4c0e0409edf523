#include "adapters/postgres/postgres_catalogue.hpp"

#include "adapters/postgres/migrations.hpp"

namespace segue::postgres {

namespace {

/// The owner with our epoch, locked until the change is there: who takes the lease over waits for that.
const std::string owner = "WITH owner AS (SELECT 1 FROM ownership WHERE epoch = $1 FOR SHARE)";

/// How many owners and how many rows were found: 0 or 1.
const std::string counts = "SELECT (SELECT count(*) FROM owner), (SELECT count(*) FROM changed)";

std::string select(const std::string& rest) {
  return "SELECT accepted, " + column_names<generation_row>() + " FROM generations " + rest;
}

const statement insert_row{"insert_generation", effect::changes,
    owner + " INSERT INTO generations (" + column_names<generation_row>() + ") SELECT "
        + placeholders<generation_row>(2) + " FROM owner RETURNING accepted"};

const statement store_row{"store_generation", effect::changes,
    owner + ", changed AS (UPDATE generations SET (" + column_names<generation_row>() + ") = ("
        + placeholders<generation_row>(3) + ") FROM owner WHERE request_id = $2 RETURNING 1) " + counts};

const statement erase_row{"erase_generation", effect::changes,
    owner + ", changed AS (DELETE FROM generations USING owner WHERE request_id = $2 RETURNING 1) " + counts};

const statement find_row{"find_generation", effect::none, select("WHERE request_id = $1")};

const statement newest_rows{"newest_generations", effect::none,
    select("WHERE accepted < $1 AND state <> 'purging' ORDER BY accepted DESC LIMIT $2")};

const statement newest_rows_of_user{"newest_generations_of_user", effect::none,
    select("WHERE accepted < $1 AND state <> 'purging' AND user_id = $3 ORDER BY accepted DESC LIMIT $2")};

const statement unfinished_rows{"unfinished_generations", effect::none,
    select("WHERE state IN ('queued', 'running', 'purging') AND accepted > $1 ORDER BY accepted LIMIT $2")};

} // namespace

postgres_catalogue::postgres_catalogue(const std::string& url, limits bounds, bool migrates)
    : server_(read_server(url, bounds)), connections_(server_, watchdog_, std::max<size_t>(bounds.connections, 1)),
      reserved_(server_, watchdog_, 1), ownership_(connections_, reserved_) {
  migrates ? migrate(connections_) : expect_migrated(connections_);
}

// -- ownership --------------------------------------------------------------------------------------------------------

std::optional<std::string> postgres_catalogue::take_lease(
    const std::string& holder, std::chrono::milliseconds how_long) {
  return ownership_.take(holder, how_long);
}

void postgres_catalogue::release_lease(const std::string& /*holder*/) { ownership_.release(); }

// -- generations ------------------------------------------------------------------------------------------------------

uint64_t postgres_catalogue::insert(const generation_row& row) {
  return ownership_.as_owner([&](uint64_t epoch) {
    values x;
    auto inserted = connections_.run(insert_row, bind_row(x.bind(epoch), row));
    if (inserted.empty())
      ownership_.fenced(epoch);
    return inserted[0][0].as<uint64_t>();
  });
}

bool postgres_catalogue::store(const generation_row& row) {
  return ownership_.as_owner([&](uint64_t epoch) {
    values x;
    auto found = connections_.run(store_row, bind_row(x.bind(epoch).bind(row.request_id), row));
    if (found[0][0].as<int>() == 0)
      ownership_.fenced(epoch);
    return found[0][1].as<int>() > 0;
  });
}

void postgres_catalogue::erase(const std::string& request_id) {
  ownership_.as_owner([&](uint64_t epoch) {
    values x;
    if (connections_.run(erase_row, x.bind(epoch).bind(request_id))[0][0].as<int>() == 0)
      ownership_.fenced(epoch);
  });
}

std::optional<generation_row> postgres_catalogue::find(const std::string& request_id) {
  ownership_.settle();
  values x;
  return first_of(rows_of<generation_row>(connections_.run(find_row, x.bind(request_id))));
}

std::vector<generation_row> postgres_catalogue::newest(const std::string& user_id, uint64_t before, uint32_t limit) {
  values x;
  x.bind(within_range(before)).bind(limit);
  if (user_id.empty())
    return rows_of<generation_row>(connections_.run(newest_rows, x));
  return rows_of<generation_row>(connections_.run(newest_rows_of_user, x.bind(user_id)));
}

std::vector<generation_row> postgres_catalogue::unfinished(uint64_t after, uint32_t limit) {
  ownership_.settle();
  values x;
  return rows_of<generation_row>(connections_.run(unfinished_rows, x.bind(within_range(after)).bind(limit)));
}

} // namespace segue::postgres
