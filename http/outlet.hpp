// The writing side of a socket on which frames leave as they come.
#pragma once

#include "actors/metrics.hpp"
#include "actors/payload.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <functional>
#include <list>
#include <span>
#include <vector>

#include <sys/uio.h>

namespace segue::http {

namespace asio = boost::asio;

struct outlet_limits {
  std::chrono::milliseconds stall; ///< a client that takes nothing for so long is gone
  uint64_t waiting;                ///< bytes kept by the outlets of one thread together
  metrics& counters;
};

class outlet;

/// The outlets of one thread that keep something. When too much is kept, who has kept longest is cut off.
class outlet_pool {
public:
  explicit outlet_pool(const outlet_limits& limits) : limits_(limits) {}

  const outlet_limits& limits() const { return limits_; }

private:
  friend class outlet;

  void make_room();

  const outlet_limits& limits_;
  std::list<outlet*> busy_; ///< since when: the longest first
  uint64_t kept_ = 0;       ///< bytes, by all of them
};

/// Sends at once what the socket takes and keeps the rest. Whoever finds it not `idle` after a `send` waits for `drain`
/// before sending more: that bounds what is kept to one frame and some control frames. Used on one thread.
class outlet {
public:
  outlet(asio::ip::tcp::socket& socket, outlet_pool& pool) : socket_(socket), pool_(pool) {}
  ~outlet();
  outlet(const outlet&) = delete;
  outlet& operator=(const outlet&) = delete;

  /// Frames leave in order and whole. After an error nothing is sent any more.
  void send(payload frame);

  int socket() { return socket_.native_handle(); }

  /// Called when a `send` leaves the outlet not idle, or broken.
  void when_busy(std::function<void()> hook) { when_busy_ = std::move(hook); }

  /// Calls `f` once everything so far has been taken or the outlet is broken: now, or when it is.
  void when_idle(std::function<void()> f);

  bool idle() const { return waiting_.empty(); }
  bool failed() const { return static_cast<bool>(error_); }

  /// Waits until the socket has taken everything, in gathered writes. Throws `boost::system::system_error` when the
  /// client is gone or takes nothing.
  asio::awaitable<void> drain();

private:
  friend class outlet_pool;

  size_t write(std::span<iovec> parts);
  void send_waiting();
  void fail(boost::system::error_code why);
  void tell_idle();
  void count();

  asio::ip::tcp::socket& socket_;
  outlet_pool& pool_;
  std::list<outlet*>::iterator place_; ///< in the pool, while `counted_` is not 0
  std::vector<payload> waiting_;
  uint64_t counted_ = 0; ///< bytes of `waiting_`, as the metric knows them
  boost::system::error_code error_;
  std::function<void()> when_busy_;
  std::function<void()> when_idle_; ///< once
};

} // namespace segue::http
