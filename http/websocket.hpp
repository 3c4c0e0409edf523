// RFC 6455 on a connection whose client has asked for it. Beast shakes hands, reads, and answers what the protocol wants
// answered; what it writes goes through the outlet, between the frames of the tail. Included by `connection.cpp` and
// `websocket.cpp` alone: Beast is slow to compile.
#pragma once

#include "http/outlet.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <functional>
#include <memory>

namespace segue::http {

class websocket {
public:
  using request = boost::beast::http::request<boost::beast::http::string_body>;

  virtual ~websocket() = default;

  /// Answers the handshake. Throws `boost::system::system_error` when it was none; the client has been told then.
  virtual asio::awaitable<void> accept(const request& x) = 0;

  /// Reads until the client leaves or breaks the protocol, and then calls `gone`, which keeps this alive until then.
  /// Messages of clients mean nothing here and are dropped.
  virtual void listen(std::function<void()> gone) = 0;

  /// Tells the client that the server goes (1001), without waiting for it.
  virtual void say_goodbye() = 0;

  /// Likewise that the stream cannot be read any more: there would have been more (1013, try again later).
  virtual void say_lost() = 0;

  /// The closing handshake with code 1000.
  virtual asio::awaitable<void> close() = 0;
};

/// A client from which nothing comes for `silence`, not even an answer to a ping, is gone. `drain_aside` begins to drain the outlet,
/// beside whatever else does so.
std::unique_ptr<websocket> make_websocket(
    asio::ip::tcp::socket& socket, outlet& out, std::chrono::milliseconds silence, std::function<void()> drain_aside);

} // namespace segue::http
