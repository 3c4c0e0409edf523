#include "adapters/sqlite/migrations.hpp"

#include "adapters/ports.hpp"

#include <array>

namespace segue::sqlite {

namespace {

/// Each is applied once, in order; the schema's version is how many were. Never change one that was released.
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

    R"(CREATE TABLE transfers (
         id INTEGER PRIMARY KEY AUTOINCREMENT,
         path TEXT NOT NULL UNIQUE,
         kind TEXT NOT NULL,
         state TEXT NOT NULL,
         attempts INTEGER NOT NULL,
         due_at_ms INTEGER NOT NULL,
         holder TEXT NOT NULL,
         lease INTEGER NOT NULL,
         leased_until_ms INTEGER NOT NULL,
         bytes_done INTEGER NOT NULL,
         bytes_total INTEGER NOT NULL,
         error TEXT NOT NULL,
         created_at_ms INTEGER NOT NULL,
         changed_at_ms INTEGER NOT NULL);
       CREATE INDEX transfers_due ON transfers (due_at_ms, id) WHERE state IN ('waiting', 'running');
       CREATE INDEX transfers_dead ON transfers (id) WHERE state = 'dead';
       CREATE INDEX transfers_changed ON transfers (changed_at_ms, id);)",

    R"(CREATE TABLE api_keys (
         id TEXT PRIMARY KEY NOT NULL,
         hash TEXT NOT NULL UNIQUE,
         user_id TEXT NOT NULL,
         may TEXT NOT NULL,
         note TEXT NOT NULL,
         created_at_ms INTEGER NOT NULL);)",
};

size_t version_of(database& db) {
  size_t version = 0;
  statement s{db, "PRAGMA user_version"};
  if (s.step())
    s >> version;
  if (version > migrations.size())
    throw adapter_error{ec::conflict, "the catalogue was written by a newer version of Segue: it has version "
                                          + std::to_string(version) + ", known is "
                                          + std::to_string(migrations.size())};
  return version;
}

} // namespace

void migrate(database& db) {
  if (version_of(db) == migrations.size())
    return;
  transaction alone{db};
  for (auto version = version_of(db); version < migrations.size(); ++version) { // another process may have been faster
    db.run(migrations[version]);
    db.run(("PRAGMA user_version = " + std::to_string(version + 1)).c_str());
  }
  alone.commit();
}

void expect_migrated(database& db) {
  auto version = version_of(db);
  if (version < migrations.size())
    throw adapter_error{ec::conflict, "the catalogue has version " + std::to_string(version) + ", and this build needs version "
            + std::to_string(migrations.size()) + ": it needs `segue migrate`, or the next start of a server; one of an older build should be "
              "stopped before"};
}

} // namespace segue::sqlite
