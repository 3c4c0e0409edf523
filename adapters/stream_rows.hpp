// How rows of the log are written as bytes. The first byte of each value is the version of its layout; integers are
// little-endian, texts carry their length. Keys are big-endian, so that they sort by position.
#pragma once

#include "actors/messages.hpp"

#include <string>
#include <string_view>

namespace segue {

/// Thrown when bytes are not what was written: a truncated row or a wrong checksum.
struct bad_row {};

std::string id_key(stream_id id);
stream_id read_id(std::string_view bytes);

std::string chunk_key(stream_id id, position start);
position chunk_start(std::string_view key);

/// Where the record with this key and value ends. Its bytes are not looked at, nor its checksum.
position chunk_end(std::string_view key, std::string_view value);

std::string producer_key(stream_id id, const std::string& producer);

std::string encode(const stream_row& row);
stream_row decode_stream(std::string_view bytes);

std::string encode(const producer_tag& tag);
producer_tag decode_producer(std::string_view bytes);

/// The value holds message lengths, bytes and a checksum over both; the start is part of the key.
std::string encode(const chunk& record);
chunk decode_chunk(position start, std::string_view bytes);

} // namespace segue
