// How a connection answers its requests in HTTP/1.
#pragma once

#include "http/exchange.hpp"
#include "http/response_head.hpp"

#include <boost/asio/ip/tcp.hpp>

namespace segue::http {

/// One response after the other, each whole (`send`) or in parts (`begin`, `write`, `finish`). What it writes throws
/// `boost::system::system_error` when the client is gone.
class responder {
public:
  /// What a response depends on.
  struct request {
    unsigned version = 11; ///< of HTTP: 10 or 11
    bool keep_alive = false;
    bool head_only = false;
    std::string origin; ///< of the page that asks, if any
  };

  responder(const edge& where, asio::io_context& io, asio::ip::tcp::socket& socket)
      : edge_(where), io_(io), socket_(socket) {}

  /// Forgets the response before.
  void answer(request x);

  asio::awaitable<void> send(response x);
  asio::awaitable<void> begin(response head, std::optional<uint64_t> length);
  asio::awaitable<void> write(std::vector<payload> body);
  asio::awaitable<void> finish();

  /// What follows is no HTTP.
  void hand_over();

  /// Whatever begins from now on is the last one.
  void close_after_next() { last_ = true; }

  bool streaming() const { return streaming_; }              ///< between `begin` or `hand_over` and `finish`
  bool endless() const { return streaming_ && !sized_; }     ///< and of unknown length
  bool chunked() const { return chunked_; }
  bool keeps_alive() const { return asked_.keep_alive; }     ///< once this request and its response are over
  bool finished() const { return finished_; }                ///< a whole response was sent

private:
  response_head head_of(const response& x);
  asio::awaitable<void> put(std::vector<payload> bytes);

  const edge& edge_;
  asio::io_context& io_;
  asio::ip::tcp::socket& socket_;
  request asked_;
  bool streaming_ = false;
  bool sized_ = false;
  bool chunked_ = false;
  bool finished_ = false;
  bool last_ = false;
};

} // namespace segue::http
