// Rows of the store as they may come back from a disk.
#include "adapters/stream_rows.hpp"
#include "tests/fuzz/harness.hpp"

#include <zlib.h>

using namespace segue;
using namespace segue::fuzz;

namespace {

/// Whether bytes decode; everything thrown but `bad_row` ends the run.
template <class F>
bool decodes(F decode) {
  try {
    decode();
    return true;
  } catch (const bad_row&) {
    return false;
  } catch (...) {
    insist(false, "nothing but bad_row is thrown");
    return false;
  }
}

/// The bytes with the checksum of everything before it at the end, which no fuzzer guesses.
std::string sealed(std::string bytes) {
  auto sum = crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  for (int i = 0; i < 4; ++i)
    bytes.push_back(static_cast<char>(sum >> (8 * i)));
  return bytes;
}

void check_stream(std::string_view bytes) {
  stream_row x;
  if (decodes([&] { x = decode_stream(bytes); }))
    insist(decode_stream(encode(x)) == x, "a stream comes back as it was decoded");
}

void check_producer(std::string_view bytes) {
  producer_tag x;
  if (decodes([&] { x = decode_producer(bytes); }))
    insist(decode_producer(encode(x)) == x, "a producer comes back as it was decoded");
}

void check_chunk(std::string_view bytes, position start) {
  chunk x;
  if (!decodes([&] { x = decode_chunk(start, bytes); }))
    return;
  insist(encode(x) == bytes, "a chunk is written in one way only");
  auto again = decode_chunk(start, encode(x));
  insist(again.start == start && again.bytes == x.bytes && again.lengths == x.lengths,
      "a chunk comes back as it was decoded");
}

void check_keys(std::string_view bytes) {
  stream_id id = 0;
  position start = 0;
  if (decodes([&] { id = read_id(bytes); }))
    insist(id_key(id) == bytes.substr(0, 8), "an id comes back as it was decoded");
  if (decodes([&] { start = chunk_start(bytes); }))
    insist(chunk_key(id, start) == bytes.substr(0, 16), "a key of a chunk comes back as it was decoded");
  auto other = number_in(bytes, 1);
  insist((id_key(id) < id_key(other)) == (id < other), "keys sort the way numbers do");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size); // a copy, so that reading behind its end is noticed
  check_stream(bytes);
  check_producer(bytes);
  check_chunk(bytes, number_in(bytes, 0));
  check_chunk(sealed(bytes), number_in(bytes, 0));
  check_keys(bytes);
  return 0;
}
