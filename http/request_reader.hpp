// Reads the requests of one client, whole and one after the other. Included by `connection.cpp` alone: Beast's parser is slow
// to compile.
#pragma once

#include "http/exchange.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <variant>

namespace segue::http {

class request_reader {
public:
  using request = boost::beast::http::request<boost::beast::http::string_body>;

  /// A request; or which rule its sender broke, who is to be told that before the connection ends; or nothing: there is no
  /// other one.
  using outcome = std::variant<std::monostate, request, problem>;

  request_reader(asio::ip::tcp::socket& socket, const edge& where) : socket_(socket), edge_(where) {}

  asio::awaitable<outcome> read();

  /// Reads and drops what still comes, for a while: closing a socket with unread bytes resets it, and the last answer would be
  /// lost with it.
  asio::awaitable<void> drop_rest();

  /// Takes what has come of the next request while a response is still under way, as much as a header may be. False: it is more, or
  /// the client has gone.
  bool take_ahead();

  /// Keeps no more memory than it needs until the next request.
  void rest();

private:
  asio::awaitable<void> take_more(size_t most, boost::system::error_code& error);

  asio::ip::tcp::socket& socket_;
  const edge& edge_;
  boost::beast::flat_buffer buffer_;
};

} // namespace segue::http
