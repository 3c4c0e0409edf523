#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/client/console.hpp"

namespace segue::client {

/// What a transfer is, and a dead letter; for the end of `segue transfers --help`.
extern const char* const transfers_lesson;

/// `segue transfers ls`.
struct transfers_ls_options {
  connection_options connection;
  /// Only dead letters.
  bool dead = false;
  unsigned limit = 50;
};

/// `segue transfers retry` and `segue transfers drop`.
struct transfers_options {
  connection_options connection;
  std::vector<std::uint64_t> ids;
  /// Of `retry`: every dead letter.
  bool all = false;
};

/// Lists transfers in the order of their ids, over as many pages as `limit` needs. The exit code.
int run_transfers_ls(const transfers_ls_options& options);
/// Tries them again at once. The exit code: of the first one that could not be.
int run_transfers_retry(const transfers_options& options);
/// Forgets them. The exit code likewise.
int run_transfers_drop(const transfers_options& options);

} // namespace segue::client
