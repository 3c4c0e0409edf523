// Where the PostgreSQL server of a catalogue is, and how patient to be with it.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <string>

namespace segue::postgres {

struct limits {
  size_t connections = 3;                   ///< besides one that is kept for the lease
  std::chrono::milliseconds timeout{5'000}; ///< for a connection to come free, for connecting, and for an answer, each
};

/// When the server gives up by itself: before we do, for then it is known that nothing happened.
constexpr std::chrono::milliseconds server_patience(const limits& x) {
  return std::max(x.timeout * 3 / 4, std::chrono::milliseconds{1});
}

struct server {
  std::map<std::string, std::string> parameters; ///< as libpq names them; the password is among them
  std::string schema;
  std::string shown; ///< for errors: without user and password
  limits bounds;
};

/// Reads `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?schema=segue&sslmode=…&sslrootcert=…`; what is left out is
/// libpq's business. Throws `adapter_error{ec::invalid_argument}`.
server read_server(const std::string& url, limits bounds);

} // namespace segue::postgres
