// One client's socket: reads requests, one after the other, and writes their responses.
#pragma once

#include "http/router.hpp"
#include "http/tail.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <memory>

namespace segue::http {

/// What the connections of one I/O thread have in common.
struct io_parts {
  explicit io_parts(const edge& where)
      : addresses(where.registry), outlets(where.outlets), unit(where.system, io), at_tails(where, unit) {}
  ~io_parts() { unit.close(); }

  address_book addresses;
  outlet_pool outlets;
  io_unit unit;
  tails at_tails;
  asio::io_context io{1}; ///< goes first, and with it whatever still waits on it
};

/// A connection that runs. It ends by itself, or soon after `stop`.
class connection {
public:
  virtual ~connection() = default;

  /// Serves the socket until the client leaves or breaks the rules.
  virtual asio::awaitable<void> run() = 0;

  /// Closes the socket at once if nothing but a stream of unknown length, or nothing at all, is being sent; otherwise
  /// after the response under way, for which a long poll waits no more.
  virtual void stop() = 0;
};

std::shared_ptr<connection> make_connection(
    asio::ip::tcp::socket socket, const edge& where, const router& routes, io_parts& parts);

} // namespace segue::http
