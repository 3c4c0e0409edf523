// One client's socket: reads requests, one after the other, and writes their responses.
#pragma once

#include "http/router.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <memory>

namespace segue::http {

class tails;

/// A connection that runs. It ends by itself, or soon after `stop`.
class connection {
public:
  virtual ~connection() = default;

  /// Serves the socket until the client leaves or breaks the rules.
  virtual asio::awaitable<void> run() = 0;

  /// Closes the socket at once if nothing but a stream of unknown length, or nothing at all, is being sent; otherwise
  /// after the response under way.
  virtual void stop() = 0;
};

std::shared_ptr<connection> make_connection(asio::ip::tcp::socket socket, asio::io_context& io, const edge& where,
    const router& routes, address_book& addresses, tails& at_tails);

} // namespace segue::http
