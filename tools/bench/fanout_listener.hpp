// What one WebSocket listener hears, byte by byte: frames, the chunks inside them, and whether any is missing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace fanout {

/// How every chunk begins; filler follows. Numbers are in the byte order of the machine: both ends are on it.
struct chunk_head {
  char magic[8] = {'f', 'a', 'n', '-', 'o', 'u', 't', '\n'};
  uint64_t sequence = 0;
  int64_t sent_ns = 0; ///< CLOCK_MONOTONIC, just before its publishing
};
static_assert(sizeof(chunk_head) == 24);

inline std::string make_chunk(uint64_t sequence, int64_t sent_ns, size_t size) {
  chunk_head head{.sequence = sequence, .sent_ns = sent_ns};
  std::string chunk(size, '.');
  std::memcpy(chunk.data(), &head, sizeof head);
  return chunk;
}

/// Takes what a socket received, in pieces of any size. The binary frames together are one stream of chunks, however
/// the server cut it; text frames are the server's remarks.
class listener {
public:
  listener(size_t chunk_size, uint64_t first_sequence) : chunk_size_{chunk_size}, next_{first_sequence} {}

  /// Calls `heard(sent_ns)` for each chunk that is complete with these bytes.
  template <class F>
  void take(std::string_view bytes, F heard) {
    while (!bytes.empty()) {
      if (frame_left_ == 0) {
        take_header_byte(bytes.front());
        bytes = bytes.substr(1);
        continue;
      }
      auto part = bytes.substr(0, std::min<uint64_t>(frame_left_, bytes.size()));
      if (data_)
        take_payload(part, heard);
      frame_left_ -= part.size();
      bytes = bytes.substr(part.size());
    }
  }

  uint64_t gaps() const { return gaps_; }                    ///< chunks that were jumped over
  uint64_t doubles() const { return doubles_; }              ///< chunks that came again, or after a later one
  uint64_t next() const { return next_; }                    ///< the sequence number that should come now
  bool take_ping() { return std::exchange(pinged_, false); } ///< the server has asked whether anybody is there

private:
  void take_header_byte(char byte) {
    header_[header_size_++] = static_cast<uint8_t>(byte);
    uint8_t length = header_[1] & 0x7f;
    size_t length_bytes = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (header_size_ < 2 + length_bytes)
      return;
    if (header_[1] & 0x80)
      throw std::runtime_error{"a server's frame is masked"};
    frame_left_ = length_bytes == 0 ? length : 0;
    for (size_t i = 0; i < length_bytes; ++i)
      frame_left_ = frame_left_ << 8 | header_[2 + i];
    header_size_ = 0;
    constexpr int continued = 0, binary = 2, ping = 9;
    int opcode = header_[0] & 0xf;
    if (opcode != continued)
      data_ = opcode == binary;
    pinged_ |= opcode == ping;
  }

  template <class F>
  void take_payload(std::string_view bytes, F heard) {
    while (!bytes.empty()) {
      bool in_head = chunk_at_ < sizeof head_;
      auto size = std::min(bytes.size(), (in_head ? sizeof head_ : chunk_size_) - chunk_at_);
      if (in_head)
        std::memcpy(reinterpret_cast<char*>(&head_) + chunk_at_, bytes.data(), size);
      chunk_at_ += size;
      bytes = bytes.substr(size);
      if (chunk_at_ == chunk_size_) {
        chunk_at_ = 0;
        check();
        heard(head_.sent_ns);
      }
    }
  }

  void check() {
    if (std::memcmp(head_.magic, chunk_head{}.magic, sizeof head_.magic) != 0)
      throw std::runtime_error{"a listener heard something that was not published: bytes are missing or doubled"};
    if (head_.sequence > next_)
      gaps_ += head_.sequence - next_;
    if (head_.sequence < next_)
      ++doubles_;
    next_ = std::max(next_, head_.sequence + 1);
  }

  size_t chunk_size_; ///< bytes
  uint64_t next_;
  uint64_t gaps_ = 0;
  uint64_t doubles_ = 0;
  uint8_t header_[14] = {};
  size_t header_size_ = 0;  ///< how much of a frame's header has come
  uint64_t frame_left_ = 0; ///< bytes of this frame's payload to come
  bool data_ = false;       ///< this frame is binary
  bool pinged_ = false;
  chunk_head head_; ///< of the chunk that is coming
  size_t chunk_at_ = 0;
};

} // namespace fanout
