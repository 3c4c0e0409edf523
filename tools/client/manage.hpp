#pragma once

#include <string>

#include "tools/client/console.hpp"

namespace segue::client {

/// `segue ls`.
struct ls_options {
  connection_options connection;
  /// Only this user's pieces; empty: everybody's.
  std::string user;
  unsigned limit = 50;
};

/// `segue cancel` and `segue rm`.
struct piece_options {
  connection_options connection;
  std::string id;
};

/// Lists pieces, newest first, over as many pages as `limit` needs. The exit code.
int run_ls(const ls_options& options);
/// Ends a queued or running piece; what was made stays audible. The exit code.
int run_cancel(const piece_options& options);
/// Removes a piece for good. The exit code.
int run_rm(const piece_options& options);

} // namespace segue::client
