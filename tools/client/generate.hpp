#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/client/console.hpp"

namespace segue::client {

/// `segue generate`; what is not set is left to the server.
struct generate_options {
  connection_options connection;
  std::string prompt;
  /// A file, or "-".
  std::string out;
  std::optional<double> duration_s;
  /// The server says which are allowed.
  std::optional<std::int64_t> seed;
  std::string pace;
  std::string user;
};

/// Seconds of "30s", "1m30s", "1.5m", "45", "1h"; nothing if it is none of these.
[[nodiscard]] std::optional<double> parse_duration(const std::string& text);

/// Orders a piece and follows it to its end; Ctrl-C cancels it. The exit code.
int run_generate(const generate_options& options);

} // namespace segue::client
