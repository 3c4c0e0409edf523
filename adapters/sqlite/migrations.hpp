// The schema of the catalogue, and how it comes to be what this program knows.
#pragma once

#include "adapters/sqlite/database.hpp"

namespace segue::sqlite {

/// Brings the schema up to date. Any number of processes may do so at once. Throws `ec::conflict` when a newer program
/// was here.
void migrate(database& db);

/// Throws `ec::conflict` unless it is up to date.
void expect_migrated(database& db);

} // namespace segue::sqlite
