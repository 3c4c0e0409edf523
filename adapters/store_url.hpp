// Where a networked store is, and as whom to use it: `scheme://USER:PASSWORD@HOST:PORT/PATH?name=value`.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace segue {

struct store_url {
  std::string scheme;
  std::string user;     ///< decoded, like the password
  std::string password;
  std::string host;
  uint16_t port = 0;    ///< 0: the usual one
  std::string path;     ///< without the slash in front
  std::map<std::string, std::string> query;

  /// The value of a query parameter, which is then no longer there, so that what is left is not known.
  std::string take(const std::string& name, const std::string& standard = {});

  /// Throws `adapter_error{ec::invalid_argument}` if parameters are left that nobody took. `known` names those there are.
  void expect_nothing_else(const std::string& known) const;
};

/// Throws `adapter_error{ec::invalid_argument}`, without the password, when it cannot be read.
store_url parse_store_url(const std::string& text);

/// The URL without what is secret, for logs and errors; any text without a user and password is returned as it is.
std::string redacted(const std::string& url);

} // namespace segue
