// One listener: how it asks, and what it hears, byte by byte.
#pragma once

#include "chunks.hpp"
#include "decoders.hpp"
#include "http.hpp"

#include <optional>
#include <variant>

namespace load {

struct plain_decoder {
  template <class F>
  void take(std::string_view bytes, F out) {
    out(bytes);
  }
};

/// The door that listeners use, as `--format` names it.
enum class door { websocket, sse, bytes };

inline door door_named(const std::string& name) {
  if (name == "websocket")
    return door::websocket;
  if (name == "sse")
    return door::sse;
  if (name == "bytes")
    return door::bytes;
  fail("--format is websocket, sse or bytes");
}

/// The head of a listener's request.
inline std::string listening_request(door format, const std::string& path, uint16_t port) {
  auto request = "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) + "\r\n";
  if (format == door::websocket) // the key and its acceptance are the example of RFC 6455
    request += "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  if (format == door::sse)
    request += "Accept: text/event-stream\r\n";
  return request + "\r\n";
}

class listener {
public:
  /// Opens a connection and waits until the server has agreed. `rest` is what came behind the head of its answer.
  listener(door format, const std::string& path, uint16_t port, const chunk_format& chunks, uint64_t first_sequence,
      size_t stream, std::string& rest)
      : fd_{connect_to(port)}, stream_{stream}, chunks_{chunks, first_sequence} {
    auto head = ask(fd_, listening_request(format, path, port), rest);
    bool agreed = format == door::websocket ? has_status(head, "101") && head.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != head.npos
                                            : has_status(head, "200");
    if (!agreed)
      fail("a listener's GET " + path + " was answered " + head.substr(0, head.find('\r')));
    if (head.find("Transfer-Encoding: chunked") != head.npos)
      transfer_.emplace();
    if (format == door::websocket)
      body_ = websocket_decoder{};
    else if (format == door::sse)
      body_ = sse_decoder{};
  }

  /// Calls `heard(sent_ns)` for each chunk that is complete with these bytes.
  template <class F>
  void take(std::string_view bytes, F heard) {
    auto to_chunks = [&](std::string_view part) { chunks_.take(part, heard); };
    auto to_body = [&](std::string_view part) { std::visit([&](auto& body) { body.take(part, to_chunks); }, body_); };
    if (transfer_)
      transfer_->take(bytes, to_body);
    else
      to_body(bytes);
    constexpr char pong[] = {'\x8a', '\x80', 0, 0, 0, 0}; // empty, masked with zeros
    auto* frames = std::get_if<websocket_decoder>(&body_);
    if (frames && frames->take_ping() && send(fd_, pong, sizeof pong, MSG_NOSIGNAL) < 0)
      fail("a listener cannot answer a ping");
  }

  int fd() const { return fd_; }
  size_t stream() const { return stream_; } ///< which of the streams it listens to
  const chunk_checker& chunks() const { return chunks_; }

private:
  int fd_;
  size_t stream_;
  std::optional<chunked_decoder> transfer_;
  std::variant<plain_decoder, websocket_decoder, sse_decoder> body_;
  chunk_checker chunks_;
};

} // namespace load
