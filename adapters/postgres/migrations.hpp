// The schema of the catalogue, and how it comes to be what this program knows.
#pragma once

#include "adapters/postgres/pool.hpp"

namespace segue::postgres {

/// Brings the schema up to date; it is made if there is none. Any number of processes may do so at once. Throws
/// `ec::conflict` when a newer program was here.
void migrate(pool& connections);

/// Looks only: throws `ec::conflict` when the schema is not up to date, or a newer program's.
void expect_migrated(pool& connections);

} // namespace segue::postgres
