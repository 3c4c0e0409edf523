// Writes to a socket what is there to the end, as one response after the other needs it.
#pragma once

#include "actors/payload.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <vector>

namespace segue::http {

namespace asio = boost::asio;

struct write_limits {
  size_t slice;                    ///< bytes that are sent before others on the thread have their turn
  std::chrono::milliseconds stall; ///< within which a client must take something
};

/// Sends what the socket takes, which mostly is everything, slice by slice, and waits with the rest. Bytes that lie in a file are
/// sent from its pages, uncopied. The socket must not block; `io` is its own. Throws `boost::system::system_error` when the client
/// is gone, or takes nothing for too long.
asio::awaitable<void> write_all(
    asio::io_context& io, asio::ip::tcp::socket& socket, std::vector<payload> bytes, write_limits limits);

} // namespace segue::http
