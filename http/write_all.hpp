// Writes to a socket what is there to the end, as one response after the other needs it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <vector>

namespace segue::http {

namespace asio = boost::asio;

/// Sends at once what the socket takes, which mostly is everything, and waits with the rest. The socket must not block. Throws
/// `boost::system::system_error` when the client is gone, or takes nothing for as long as `stall`.
asio::awaitable<void> write_all(
    asio::ip::tcp::socket& socket, std::vector<asio::const_buffer> bytes, std::chrono::milliseconds stall);

} // namespace segue::http
