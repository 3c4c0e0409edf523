// Names of things: offsets of a log, and ids of requests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace segue {

/// A position in a log, in stored bytes from its start.
using position = uint64_t;

/// A stream's number in its store; never used again after a deletion.
using stream_id = uint64_t;

/// The offset clients see: `0000000000000000_` and the position as 16 hexadecimal digits. Offsets sort as strings the
/// way positions sort as numbers.
std::string format_offset(position at);

/// What a client may write where an offset is expected.
struct offset_query {
  enum class kind { start, now, at };
  kind from = kind::start;
  position at = 0; ///< meaningful for `kind::at` only
};

/// Reads `-1`, `now` or an offset; nothing for anything else.
std::optional<offset_query> parse_offset(std::string_view text);

/// A fresh random UUID, lower case.
std::string new_uuid();

/// Whether `text` is a lower-case UUID.
bool is_uuid(std::string_view text);

/// Whether this may be a user id: 1 to 64 of A–Z a–z 0–9 . _ @ -
bool is_user_id(std::string_view text);

/// Milliseconds since 1970 as `2026-11-21T10:00:00.000Z`.
std::string format_time(int64_t unix_ms);

/// Milliseconds since 1970 of a time as in RFC 3339, e.g. `2026-11-21T10:00:00Z` or `2026-11-21T11:00:00.5+01:00`.
std::optional<int64_t> parse_time(std::string_view text);

/// The wall clock, in milliseconds since 1970.
int64_t unix_now_ms();

} // namespace segue
