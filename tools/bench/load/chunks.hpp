// What is published: chunks that carry their number and the time of their publishing; and whether any was lost.
#pragma once

#include "measure.hpp"

#include <cstring>
#include <string_view>

namespace load {

/// How every chunk is made. All of it is text on one line, so that any door of any server can carry it.
struct chunk_format {
  size_t size = 16 * 1024; ///< bytes
  bool sound = false;      ///< whole MP3 frames of 384 bytes, as a generation takes them

  static constexpr std::string_view magic = "fan-out:";
  static constexpr size_t digits = 16; ///< of a number
  static constexpr size_t head_size = magic.size() + 2 * digits;
  static constexpr std::string_view frame_head{"\xff\xfb\x94\x00", 4}; ///< MPEG-1 layer III, 128 kbit/s, 48 kHz
  static constexpr size_t frame_size = 384;

  /// Where the head lies.
  size_t lead() const { return sound ? frame_head.size() : 0; }

  std::string make(uint64_t sequence, int64_t sent_ns) const {
    std::string chunk(size, '.');
    for (size_t at = 0; sound && at < size; at += frame_size)
      chunk.replace(at, frame_head.size(), frame_head);
    char head[head_size + 1];
    std::snprintf(head, sizeof head, "%s%016llx%016llx", magic.data(), static_cast<unsigned long long>(sequence),
        static_cast<unsigned long long>(sent_ns));
    return chunk.replace(lead(), head_size, head, head_size);
  }
};

/// Takes the bytes of a stream in pieces of any size, however the server cut it.
class chunk_checker {
public:
  chunk_checker(const chunk_format& format, uint64_t first_sequence) : format_{&format}, next_{first_sequence} {}

  /// Calls `heard(sent_ns)` for each chunk that is complete with these bytes.
  template <class F>
  void take(std::string_view bytes, F& heard) {
    auto lead = format_->lead();
    while (!bytes.empty()) {
      bool in_head = at_ < lead + format_->head_size;
      auto size = std::min(bytes.size(), (in_head ? lead + format_->head_size : format_->size) - at_);
      if (in_head) // what leads is overwritten when the head comes
        std::memcpy(head_ + at_, bytes.data(), size);
      at_ += size;
      bytes.remove_prefix(size);
      if (at_ == format_->size) {
        at_ = 0;
        check(std::string_view{head_ + lead, format_->head_size}, heard);
      }
    }
  }

  uint64_t gaps() const { return gaps_; }       ///< chunks that were jumped over
  uint64_t doubles() const { return doubles_; } ///< chunks that came again, or after a later one
  uint64_t next() const { return next_; }       ///< the sequence number that should come now

private:
  template <class F>
  void check(std::string_view head, F& heard) {
    if (!head.starts_with(format_->magic))
      fail("a listener heard something that was not published: bytes are missing or doubled");
    head.remove_prefix(format_->magic.size());
    auto sequence = number(head);
    gaps_ += sequence > next_ ? sequence - next_ : 0;
    doubles_ += sequence < next_;
    next_ = std::max(next_, sequence + 1);
    heard(static_cast<int64_t>(number(head.substr(format_->digits))));
  }

  static uint64_t number(std::string_view text) {
    uint64_t value = 0;
    for (char digit : text.substr(0, chunk_format::digits))
      value = value << 4 | static_cast<uint64_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
    return value;
  }

  const chunk_format* format_;
  uint64_t next_;
  uint64_t gaps_ = 0;
  uint64_t doubles_ = 0;
  size_t at_ = 0; ///< how much of the current chunk has come
  char head_[chunk_format::frame_head.size() + chunk_format::head_size] = {};
};

} // namespace load
