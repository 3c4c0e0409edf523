#pragma once

#include <cstdint>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace segue::client {

/// Work between the stores as the server describes it.
struct transfer {
  std::uint64_t id = 0;
  /// upload | evict | download | remove
  std::string kind;
  /// waiting | running | dead | done
  std::string state;
  std::string path;
  /// That failed in a row.
  std::uint64_t attempts = 0;
  /// Of the last attempt; may be empty.
  std::string error;
  /// ISO 8601, UTC; not before this, if it waits.
  std::string due;
  std::string changed;
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;
};

/// Nothing if it is not a transfer object.
[[nodiscard]] std::optional<transfer> parse_transfer(const nlohmann::json& object);

/// When it goes on, if it waits; else when it last changed.
[[nodiscard]] std::string when_text(const transfer& x, std::time_t now);

/// How far it is; "-" of one that moves no bytes, or has not begun.
[[nodiscard]] std::string percent_text(const transfer& x);

/// The lines of a table, the head first. `columns`: what they may take, at the cost of path and error; 0: what they
/// need.
[[nodiscard]] std::vector<std::string> table_of(const std::vector<transfer>& all, unsigned columns, std::time_t now);

} // namespace segue::client
