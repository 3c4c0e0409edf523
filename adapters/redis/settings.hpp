// Whether a server keeps what it acknowledges.
#pragma once

#include "adapters/redis/connection.hpp"

namespace segue::redis {

/// What a crash of the server may lose.
enum class durability {
  always,   ///< nothing: every commit is synced before it is acknowledged
  everysec, ///< the last second or so
  trusted,  ///< nothing, says the operator: the server does not let us look
};

/// Throws `adapter_error{ec::invalid_argument}`.
durability durability_of(const std::string& name);

/// Throws `adapter_error{ec::invalid_argument}`, with what to do about it, when the server is not set up for that, or may
/// throw keys away.
void check_settings(connection& server, durability wanted);

} // namespace segue::redis
