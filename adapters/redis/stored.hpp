// Stored bytes as what they are. Each throws `adapter_error{ec::corrupt}` when they are not what was written.
#pragma once

#include "adapters/ports.hpp"
#include "adapters/redis/keys.hpp"
#include "adapters/redis/reply.hpp"
#include "adapters/stream_rows.hpp"

namespace segue::redis {

template <class Decode>
auto sound(Decode decode, const char* what) {
  try {
    return decode();
  } catch (const bad_row&) {
    throw adapter_error{ec::corrupt, std::string{"Redis holds "} + what};
  }
}

inline stream_row row_from(const value& x) {
  return sound([&] { return decode_stream(x.text()); }, "a row of a stream that cannot be read");
}

inline producer_tag tag_from(const value& x) {
  return sound([&] { return decode_producer(x.text()); }, "a producer that cannot be read");
}

/// `entry`: the id of the record's entry.
inline chunk record_from(const value& entry, const value& x) {
  return sound([&] { return decode_chunk(start_of(entry.text()), x.text()); }, "a record that does not match its checksum");
}

} // namespace segue::redis
