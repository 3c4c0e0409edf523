// How keys are called: all begin with the prefix of the URL.
#pragma once

#include "actors/ids.hpp"

namespace segue::redis {

struct key_names {
  std::string prefix;

  std::string names() const { return prefix + "names"; }     ///< hash: path to id
  std::string last_id() const { return prefix + "last_id"; } ///< of any stream that ever was
  std::string count() const { return prefix + "count"; }     ///< streams of applications
  std::string due() const { return prefix + "due"; }         ///< sorted set: who expires some day
  std::string lease() const { return prefix + "lease"; }     ///< who owns the store
  std::string epoch() const { return prefix + "epoch"; }     ///< rises whenever that changes
  std::string taker() const { return prefix + "taker"; }     ///< who took it last; stays when the lease has run out

  std::string rows() const { return prefix + "s:"; }
  std::string row(stream_id id) const { return rows() + std::to_string(id); }
  std::string chunks(stream_id id) const { return prefix + "c:" + std::to_string(id); }    ///< Redis Stream
  std::string producers(stream_id id) const { return prefix + "p:" + std::to_string(id); } ///< hash
  std::string recent(stream_id id) const { return prefix + "r:" + std::to_string(id); }    ///< Redis Stream of the cache
};

/// The id of a record's entry in a Redis Stream.
inline std::string entry_id(position start) { return std::to_string(start) + "-1"; }
inline position start_of(std::string_view entry) { return std::stoull(std::string{entry}); }

/// The one field of an entry.
inline constexpr const char* entry_field = "r";

/// A stream in `due`: of one width, so that text sorts like numbers.
inline std::string due_member(stream_id id) {
  std::string digits(16, '0');
  for (size_t i = 16; id != 0; id >>= 4)
    digits[--i] = "0123456789abcdef"[id & 15];
  return digits;
}
inline stream_id id_of_due(std::string_view member) { return std::stoull(std::string{member}, nullptr, 16); }

} // namespace segue::redis
