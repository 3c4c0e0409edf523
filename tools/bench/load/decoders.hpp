// What stands around the bytes of a stream on the wire. Each takes what came, in pieces of any size, and hands on the rest.
#pragma once

#include "measure.hpp"

#include <string_view>

namespace load {

/// HTTP's `Transfer-Encoding: chunked`.
class chunked_decoder {
public:
  template <class F>
  void take(std::string_view bytes, F out) {
    while (!bytes.empty()) {
      if (left_ > 0) {
        auto part = bytes.substr(0, left_);
        left_ -= part.size();
        bytes.remove_prefix(part.size());
        out(part);
        continue;
      }
      char c = bytes.front();
      bytes.remove_prefix(1);
      if (c == '\n' && in_size_) {
        left_ = size_;
        in_size_ = false;
        size_ = 0;
      } else if (auto digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; digit >= 0) {
        in_size_ = true; // the line end behind a chunk has no digits
        size_ = size_ << 4 | static_cast<uint64_t>(digit);
      }
    }
  }

private:
  uint64_t left_ = 0; ///< bytes of this chunk to come
  uint64_t size_ = 0;
  bool in_size_ = false;
};

/// RFC 6455: the binary frames together are one stream of bytes; text frames are the server's remarks.
class websocket_decoder {
public:
  template <class F>
  void take(std::string_view bytes, F out) {
    while (!bytes.empty()) {
      if (left_ == 0) {
        take_header_byte(bytes.front());
        bytes.remove_prefix(1);
        continue;
      }
      auto part = bytes.substr(0, std::min<uint64_t>(left_, bytes.size()));
      left_ -= part.size();
      bytes.remove_prefix(part.size());
      if (data_)
        out(part);
    }
  }

  bool take_ping() { return std::exchange(pinged_, false); } ///< the server has asked whether anybody is there

private:
  void take_header_byte(char byte) {
    header_[header_size_++] = static_cast<uint8_t>(byte);
    uint8_t length = header_[1] & 0x7f;
    size_t length_bytes = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (header_size_ < 2 + length_bytes)
      return;
    if (header_[1] & 0x80)
      fail("a server's frame is masked");
    left_ = length_bytes == 0 ? length : 0;
    for (size_t i = 0; i < length_bytes; ++i)
      left_ = left_ << 8 | header_[2 + i];
    header_size_ = 0;
    constexpr int continued = 0, binary = 2, ping = 9;
    int opcode = header_[0] & 0xf;
    if (opcode != continued)
      data_ = opcode == binary;
    pinged_ |= opcode == ping;
  }

  uint8_t header_[14] = {};
  size_t header_size_ = 0; ///< how much of a frame's header has come
  uint64_t left_ = 0;      ///< bytes of this frame's payload to come
  bool data_ = false;      ///< this frame is binary
  bool pinged_ = false;
};

/// Server-sent events: the `data:` lines of all events but those called `control` are the stream; published chunks have
/// no line ends.
class sse_decoder {
public:
  template <class F>
  void take(std::string_view bytes, F out) {
    while (!bytes.empty()) {
      if (!in_data_) {
        take_field_byte(bytes.front());
        bytes.remove_prefix(1);
        continue;
      }
      auto part = bytes.substr(0, bytes.find('\n'));
      bytes.remove_prefix(part.size());
      if (!part.empty() && std::exchange(first_, false) && part.front() == ' ')
        part.remove_prefix(1);
      if (!control_ && !part.empty())
        out(part);
      if (!bytes.empty()) { // the line has ended
        bytes.remove_prefix(1);
        in_data_ = false;
      }
    }
  }

private:
  void take_field_byte(char c) {
    if (c != '\n') {
      line_ += c;
      in_data_ = first_ = line_ == "data:";
      if (in_data_)
        line_.clear();
      return;
    }
    if (line_.starts_with("event:"))
      control_ = line_.ends_with("control");
    else if (line_.empty())
      control_ = false;
    line_.clear();
  }

  std::string line_;     ///< what has come of a line that is not data
  bool in_data_ = false; ///< behind `data:`
  bool first_ = false;   ///< a space would not be data
  bool control_ = false; ///< this event is a remark of the server
};

} // namespace load
