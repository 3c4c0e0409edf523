// Records out of a Redis Stream: the log keeps them in one, and so does the cache.
#pragma once

#include "actors/chunk.hpp"
#include "adapters/redis/connection.hpp"

namespace segue::redis {

/// Which record is the first.
enum class beginning {
  holding, ///< the one that holds the position
  exactly, ///< one that begins there, or none; and nothing behind a gap
};

/// Whole records in order: at least one if there is one, at most `limit` bytes and as many as a store reads at a time. A few MiB
/// at a time are copied by the server.
/// Throws `adapter_error{ec::corrupt}` when a record does not match its checksum.
std::vector<chunk> read_records(
    connection& server, const std::string& key, position after, uint64_t limit, beginning first);

} // namespace segue::redis
