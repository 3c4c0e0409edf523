#pragma once

#include <string>

#include "tools/client/console.hpp"

namespace segue::client {

/// `segue listen`.
struct listen_options {
  connection_options connection;
  std::string id;
  /// A file, or "-"; empty: standard output, unless that is a terminal.
  std::string out;
  /// Go on where the file ends instead of writing it anew.
  bool carry_on = false;
};

/// Brings the sound of a piece, also of one that is being made; Ctrl-C ends the listening only. The exit code.
int run_listen(const listen_options& options);

} // namespace segue::client
