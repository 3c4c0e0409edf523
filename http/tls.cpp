// A tunnel works on the client's socket itself: that costs 20 KiB for a client who only
// waits, where boost::asio::ssl with its buffers takes 70.
#include "http/tls.hpp"

#include "actors/log.hpp"
#include "http/tcp_options.hpp"
#include "http/time_limit.hpp"
#include "http/tls_context.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace segue::http {

namespace {

using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;

constexpr milliseconds farewell{1'000}; ///< for what a connection that was cut, or a server that stops, said last
constexpr milliseconds lingering{2'000}; ///< for the client to close, after everything was said

/// One record, on its way from one socket to the other. What the other does not take at once is copied.
thread_local std::array<char, 16 << 10> passing;

constexpr int waiting_room = 256 << 10; ///< of the connection's socket: a frame, so that it rarely has to keep one itself

// -- one client ---------------------------------------------------------------------------------------------------------

class openssl_tunnel final : public tls_tunnel, public std::enable_shared_from_this<openssl_tunnel> {
public:
  openssl_tunnel(SSL_CTX* door, tcp::socket client, const tls_limits& limits);
  ~openssl_tunnel() override { let_go(); }

  asio::awaitable<std::optional<tcp::socket>> open() override;
  asio::awaitable<void> carry() override;
  void release() override;
  void stop() override;

private:
  asio::awaitable<bool> shake_hands();
  asio::awaitable<void> refuse_plain_http();
  std::optional<tcp::socket> pair_up();

  asio::awaitable<void> inward();
  asio::awaitable<bool> outward();
  asio::awaitable<bool> say_end();
  size_t seal(std::string_view bytes);
  size_t give(std::string_view bytes);

  template <class Step>
  int perform(Step step);
  asio::awaitable<void> wait(tcp::socket& on, tcp::socket::wait_type what);
  asio::awaitable<bool> wait_to_send();
  asio::awaitable<void> wait_for_event();
  void give_time(milliseconds most);
  void leave();
  void let_go();

  tcp::socket client_;
  tcp::socket plain_; ///< our end; the connection has the other
  int held_ = -1;     ///< the other end once more: until `release` its close is not seen, and so not taken for a shutdown
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  tls_limits limits_;
  std::optional<time_limit> farewell_;
  asio::steady_timer event_;     ///< cancelled when something of the following has changed
  bool released_ = false;
  bool whole_ = false;           ///< the connection has said everything
  bool said_ = false;            ///< and the client knows it
  bool stopping_ = false;
  bool inward_over_ = false;
  int wanted_ = SSL_ERROR_NONE;  ///< by the last step: what the socket must be ready for, or why it has failed
};

openssl_tunnel::openssl_tunnel(SSL_CTX* door, tcp::socket client, const tls_limits& limits)
    : client_(std::move(client)), plain_(client_.get_executor()), ssl_(SSL_new(door), SSL_free), limits_(limits),
      event_(client_.get_executor(), asio::steady_timer::time_point::max()) {
  if (!ssl_ || SSL_set_fd(ssl_.get(), client_.native_handle()) != 1)
    throw std::bad_alloc{};
  prepare(client_, limits_.stall); // the connection does it with its own socket, which in front of us is none of TCP
}

asio::awaitable<std::optional<tcp::socket>> openssl_tunnel::open() {
  auto self = shared_from_this();
  time_limit limit{client_.get_executor(), limits_.patience, [this] { leave(); }};
  co_await wait(client_, tcp::socket::wait_read);
  char first = 0;
  if (client_.is_open() && ::recv(client_.native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT) == 1 && first >= 'A'
      && first <= 'Z') { // no handshake begins with a letter, and a method does
    co_await refuse_plain_http();
    co_return std::nullopt;
  }
  bool shaken = co_await shake_hands();
  if (!shaken) {
    auto* reason = wanted_ == SSL_ERROR_SSL ? ERR_reason_error_string(ERR_peek_error()) : nullptr;
    log::debug("http", "tls_refused", reason ? reason : limit.over() ? "the handshake took too long" : "the client left");
    leave();
    co_return std::nullopt;
  }
  co_return pair_up();
}

asio::awaitable<bool> openssl_tunnel::shake_hands() {
  while (client_.is_open()) {
    if (perform([this] { return SSL_accept(ssl_.get()); }) == 1)
      co_return true;
    if (wanted_ != SSL_ERROR_WANT_READ && wanted_ != SSL_ERROR_WANT_WRITE)
      co_return false;
    co_await wait(client_, wanted_ == SSL_ERROR_WANT_READ ? tcp::socket::wait_read : tcp::socket::wait_write);
  }
  co_return false;
}

/// Who came with http:// is told, and given a moment to read it.
asio::awaitable<void> openssl_tunnel::refuse_plain_http() {
  static constexpr std::string_view answer =
      "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 33\r\nConnection: close\r\n\r\n"
      "This port speaks TLS: use https.\n";
  error_code ignored;
  ::send(client_.native_handle(), answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  client_.shutdown(tcp::socket::shutdown_send, ignored);
  give_time(lingering);
  while (client_.is_open()) {
    auto got = ::recv(client_.native_handle(), passing.data(), passing.size(), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN))
      leave();
    else if (got < 0)
      co_await wait(client_, tcp::socket::wait_read);
  }
}

/// Nothing: out of descriptors, most likely.
std::optional<tcp::socket> openssl_tunnel::pair_up() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0) {
    held_ = ::fcntl(ends[1], F_DUPFD_CLOEXEC, 0);
    error_code failed, failed_too;
    tcp::socket other{client_.get_executor()};
    plain_.assign(tcp::v4(), ends[0], failed); // asio asks for a family only when it opens, binds or connects
    other.assign(tcp::v4(), ends[1], failed_too);
    ::setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &waiting_room, sizeof waiting_room);
    if (failed)
      ::close(ends[0]);
    if (failed_too)
      ::close(ends[1]);
    if (held_ >= 0 && !failed && !failed_too)
      return other;
  }
  log::warning("http", "tls_failed", "no socket for a client: " + std::string{std::strerror(errno)});
  leave();
  return std::nullopt;
}

asio::awaitable<void> openssl_tunnel::carry() {
  auto self = shared_from_this();
  asio::co_spawn(client_.get_executor(), inward(), [this, self](std::exception_ptr) {
    inward_over_ = true;
    event_.cancel();
  });
  said_ = co_await outward();
  while (!released_)
    co_await wait_for_event(); // it may still read
  if (said_ && !stopping_)
    give_time(lingering); // closed with something unread, the socket would reset, and that may overtake the response
  else
    leave();
  while (!inward_over_)
    co_await wait_for_event();
  leave();
}

void openssl_tunnel::release() {
  pollfd end{plain_.native_handle(), POLLRDHUP, 0};
  whole_ = plain_.is_open() && ::poll(&end, 1, 0) == 1 && (end.revents & POLLRDHUP);
  released_ = true;
  let_go();
  if (!whole_ || stopping_)
    give_time(farewell);
  event_.cancel();
}

void openssl_tunnel::stop() {
  stopping_ = true;
  if (released_ && !said_)
    give_time(farewell);
  else if (released_ || !plain_.is_open())
    leave();
}

// -- client to connection -----------------------------------------------------------------------------------------------

asio::awaitable<void> openssl_tunnel::inward() {
  while (client_.is_open()) {
    auto got = perform([this] { return SSL_read(ssl_.get(), passing.data(), static_cast<int>(passing.size())); });
    if (got > 0) {
      std::string_view bytes{passing.data(), static_cast<size_t>(got)};
      auto taken = give(bytes);
      if (taken == bytes.size())
        continue;
      std::string rest{bytes.substr(taken)};
      while (plain_.is_open() && !rest.empty()) {
        co_await wait(plain_, tcp::socket::wait_write);
        rest.erase(0, give(rest));
      }
    } else if (wanted_ == SSL_ERROR_WANT_READ) {
      co_await wait(client_, tcp::socket::wait_read);
    } else if (wanted_ == SSL_ERROR_WANT_WRITE) {
      co_await wait(client_, tcp::socket::wait_write);
    } else if (wanted_ == SSL_ERROR_ZERO_RETURN) { // it says nothing more, and may still listen
      error_code ignored;
      plain_.shutdown(tcp::socket::shutdown_send, ignored);
      co_return;
    } else {
      leave();
    }
  }
}

/// How much the connection took; what it will never take is dropped.
size_t openssl_tunnel::give(std::string_view bytes) {
  auto sent = ::send(plain_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0)
    return static_cast<size_t>(sent);
  return errno == EAGAIN || errno == EINTR ? 0 : bytes.size();
}

// -- connection to client -----------------------------------------------------------------------------------------------

/// True: everything, and that it was everything, is with the client.
asio::awaitable<bool> openssl_tunnel::outward() {
  while (plain_.is_open()) {
    auto got = ::recv(plain_.native_handle(), passing.data(), passing.size(), MSG_DONTWAIT);
    if (got > 0) {
      std::string_view bytes{passing.data(), static_cast<size_t>(got)};
      auto sealed = seal(bytes);
      if (sealed == bytes.size())
        continue;
      std::string rest{bytes.substr(sealed)};
      while (!rest.empty()) {
        bool can = co_await wait_to_send();
        if (!can)
          co_return false;
        rest.erase(0, seal(rest));
      }
    } else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      co_await wait(plain_, tcp::socket::wait_read);
    } else if (released_ && !whole_) {
      co_return false;
    } else { // before `release` only a shutdown looks like this
      co_return co_await say_end();
    }
  }
  co_return false;
}

asio::awaitable<bool> openssl_tunnel::say_end() {
  while (perform([this] { return SSL_shutdown(ssl_.get()) < 0 ? -1 : 1; }) < 0) {
    bool can = co_await wait_to_send();
    if (!can)
      co_return false;
  }
  error_code ignored;
  client_.shutdown(tcp::socket::shutdown_send, ignored);
  co_return true;
}

/// How much of it is on its way. OpenSSL insists on being given the rest again.
size_t openssl_tunnel::seal(std::string_view bytes) {
  size_t done = 0;
  while (client_.is_open() && done < bytes.size()) {
    auto rest = bytes.substr(done);
    auto sealed = perform([&] { return SSL_write(ssl_.get(), rest.data(), static_cast<int>(rest.size())); });
    if (sealed <= 0)
      break;
    done += static_cast<size_t>(sealed);
  }
  return done;
}

/// After a step that could not send. False: the client is gone, or takes nothing, and is cut off.
asio::awaitable<bool> openssl_tunnel::wait_to_send() {
  if (wanted_ != SSL_ERROR_WANT_WRITE) // it never wants to read: nothing is negotiated twice
    leave();
  if (client_.is_open()) {
    time_limit limit{client_.get_executor(), limits_.stall, [this] { leave(); }};
    co_await wait(client_, tcp::socket::wait_write);
  }
  co_return client_.is_open();
}

// -- both ---------------------------------------------------------------------------------------------------------------

/// What `step` returns; when that is not above zero, `wanted_` says why.
template <class Step>
int openssl_tunnel::perform(Step step) {
  ERR_clear_error();
  auto result = step();
  wanted_ = result > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), result);
  return result;
}

/// Also returns when the socket was closed.
asio::awaitable<void> openssl_tunnel::wait(tcp::socket& on, tcp::socket::wait_type what) {
  error_code failed;
  co_await on.async_wait(what, asio::redirect_error(asio::use_awaitable, failed));
  if (failed)
    leave();
}

asio::awaitable<void> openssl_tunnel::wait_for_event() {
  error_code ignored;
  co_await event_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

void openssl_tunnel::give_time(milliseconds most) {
  farewell_.emplace(client_.get_executor(), most, [this] { leave(); });
}

/// The connection reads the end and can write no more; the client is cut off, unless it was told that this is the end.
void openssl_tunnel::leave() {
  error_code ignored;
  client_.close(ignored);
  plain_.close(ignored);
  event_.cancel();
}

void openssl_tunnel::let_go() {
  if (held_ >= 0)
    ::close(std::exchange(held_, -1));
}

} // namespace

tls_door::tls_door(const tls_files& files) : context_(make_tls_context(files)) {}

std::shared_ptr<tls_tunnel> tls_door::meet(tcp::socket client, const tls_limits& limits) const {
  return std::make_shared<openssl_tunnel>(context_.get(), std::move(client), limits);
}

} // namespace segue::http
