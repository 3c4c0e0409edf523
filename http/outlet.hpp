// The writing side of a socket on which frames leave as they come.
#pragma once

#include "actors/payload.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <functional>
#include <span>
#include <vector>

#include <sys/uio.h>

namespace segue::http {

namespace asio = boost::asio;

/// Sends at once what the socket takes and keeps the rest. Whoever finds it not `idle` after a `send` waits for `drain`
/// before sending more: that bounds what is kept to one frame and some control frames. Used on one thread.
class outlet {
public:
  /// A client that takes nothing for `stall` is gone.
  outlet(asio::ip::tcp::socket& socket, std::chrono::milliseconds stall) : socket_(socket), stall_(stall) {}

  /// Frames leave in order and whole. After an error nothing is sent any more.
  void send(payload frame);

  /// For those who send to many sockets in a row: to the socket of an idle outlet, without looking at the outlet. Returns
  /// how many bytes it took; the rest is to be given to `send`.
  static size_t send_now(int socket, std::string_view bytes);

  int socket() { return socket_.native_handle(); }

  /// Called when a `send` leaves the outlet not idle, or broken.
  void when_busy(std::function<void()> hook) { when_busy_ = std::move(hook); }

  bool idle() const { return waiting_.empty(); }
  bool failed() const { return static_cast<bool>(error_); }

  /// Waits until the socket has taken everything, in gathered writes. Throws `boost::system::system_error` when the
  /// client is gone or takes nothing.
  asio::awaitable<void> drain();

private:
  size_t write(std::span<iovec> parts);
  void send_waiting();

  asio::ip::tcp::socket& socket_;
  std::chrono::milliseconds stall_;
  std::vector<payload> waiting_;
  boost::system::error_code error_;
  std::function<void()> when_busy_;
};

} // namespace segue::http
