// Rows as they were last seen in the server, so that most commits need not ask before they write.
#pragma once

#include "actors/messages.hpp"
#include "adapters/redis/connection.hpp"
#include "adapters/redis/keys.hpp"

#include <algorithm>
#include <optional>
#include <span>

namespace segue::redis {

/// A row, and the very bytes that it is stored as: a commit expects them to be there still.
struct known_row {
  std::string bytes; ///< empty: there is no such stream
  std::optional<stream_row> row;
};

/// Throws `adapter_error{ec::corrupt}` when it cannot be read.
known_row known_row_from(const value& stored);

/// Numbers that only the owner changes.
struct counters {
  stream_id last_id = 0;
  size_t count = 0;
  std::string last_id_bytes; ///< as stored; empty: not there
  std::string count_bytes;
};

/// Used by the writer only.
class known_rows {
public:
  explicit known_rows(key_names keys) : keys_(std::move(keys)) {}

  /// Asks the server for those that are not known.
  void load(connection& server, std::span<const stream_id> ids);

  const known_row& row(connection& server, stream_id id);
  const counters& numbers(connection& server);

  void remember(stream_id id, known_row x) { rows_[id] = std::move(x); }
  void remember(counters x) {
    newest_ = std::max(newest_, x.last_id);
    counters_ = std::move(x);
  }
  void forget_counters() { counters_.reset(); }
  void forget_all();

  /// Begins anew when too much is known.
  void tidy();

private:
  key_names keys_;
  std::map<stream_id, known_row> rows_;
  std::optional<counters> counters_;
  stream_id newest_ = 0; ///< that was given to anybody: not to be given again, also if the server has lost it
};

} // namespace segue::redis
