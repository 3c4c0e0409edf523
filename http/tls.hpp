// TLS in front of the connections: they go on speaking plainly to a socket, whose other end is a tunnel to the client.
#pragma once

#include "http/tls_context.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace segue::http {

namespace asio = boost::asio;

struct tls_limits {
  std::chrono::milliseconds patience; ///< for the handshake
  std::chrono::milliseconds stall;    ///< a client that takes nothing for so long is gone
};

/// One client: encrypted on its side, plain on the connection's. Used on the thread of its socket.
class tls_tunnel {
public:
  virtual ~tls_tunnel() = default;

  /// Shakes hands. Returns the socket for the connection; nothing: there will be none.
  virtual asio::awaitable<std::optional<asio::ip::tcp::socket>> open() = 0;

  /// Carries bytes both ways, a record each at a time, until `release` was called and what the connection has written is
  /// with the client. A connection that shuts its socket down for sending has said everything, and the client is told so
  /// (close_notify); if it only closes it, there should have been more, and the client is cut off without that.
  virtual asio::awaitable<void> carry() = 0;

  /// The connection is over.
  virtual void release() = 0;

  /// Ends at once, or, while there is a connection, soon after `release`.
  virtual void stop() = 0;
};

/// What all tunnels share. Used by all threads.
class tls_door {
public:
  /// Throws `std::runtime_error` with a sentence that names the file and what is wrong with it.
  explicit tls_door(const tls_files& files);

  std::shared_ptr<tls_tunnel> meet(asio::ip::tcp::socket client, const tls_limits& limits) const;

private:
  std::shared_ptr<ssl_ctx_st> context_;
};

} // namespace segue::http
