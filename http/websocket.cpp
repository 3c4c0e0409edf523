#include "http/websocket.hpp"

#include "http/response_head.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/websocket.hpp>

#include <array>
#include <memory>

namespace segue::http {

namespace {

namespace beast = boost::beast;
using boost::system::error_code;

constexpr size_t longest_message = 64 << 10; ///< of a client; a longer one is closed with 1009

/// What Beast takes for the socket.
class gate {
public:
  using executor_type = asio::ip::tcp::socket::executor_type;
  using next_layer_type = asio::ip::tcp::socket;

  gate(asio::ip::tcp::socket& socket, outlet& out, std::function<void()> drain_aside)
      : socket_(socket), out_(out), drain_aside_(std::move(drain_aside)) {}

  executor_type get_executor() { return socket_.get_executor(); }
  next_layer_type& next_layer() { return socket_; }
  const next_layer_type& next_layer() const { return socket_; }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return socket_.async_read_some(buffers, std::forward<Token>(token));
  }

  /// Taken whole, for Beast writes handshakes and control frames, all of them short; but it is done when the socket has taken it: who asks
  /// and does not read the answers is read no more, and a farewell has left when Beast believes so.
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, size_t)>(
        [this](auto handler, const Buffers& x) {
          auto bytes = beast::buffers_to_string(x);
          auto size = bytes.size();
          out_.send(payload{std::move(bytes)});
          bool waits = !out_.idle();
          auto kept = std::make_shared<decltype(handler)>(std::move(handler)); // of a kind that cannot be copied
          out_.when_idle([this, kept, size] {
            error_code result = out_.failed() ? asio::error::connection_aborted : error_code{};
            asio::post(socket_.get_executor(), [kept, size, result] { std::move(*kept)(result, size); });
          });
          if (waits)
            drain_aside_();
        },
        token, buffers);
  }

  friend void teardown(beast::role_type role, gate& x, error_code& error) {
    beast::websocket::teardown(role, x.socket_, error);
  }

  template <class Handler>
  friend void async_teardown(beast::role_type role, gate& x, Handler&& handler) {
    beast::websocket::async_teardown(role, x.socket_, std::forward<Handler>(handler));
  }

private:
  asio::ip::tcp::socket& socket_;
  outlet& out_;
  std::function<void()> drain_aside_;
};

class beast_websocket final : public websocket {
public:
  beast_websocket(asio::ip::tcp::socket& socket, outlet& out, std::chrono::milliseconds silence, std::function<void()> drain_aside)
      : stream_(socket, out, std::move(drain_aside)), out_(out) {
    beast::websocket::stream_base::timeout limits{std::chrono::seconds{30}, silence, true}; // Beast asks who is silent
    stream_.set_option(limits);
    stream_.set_option(beast::websocket::stream_base::decorator([](beast::websocket::response_type& x) {
      x.set("Date", std::string{http_date()});
      x.set("Content-Security-Policy", "sandbox");
      x.set("X-Content-Type-Options", "nosniff");
      x.set("Cross-Origin-Resource-Policy", "cross-origin");
    }));
    stream_.read_message_max(longest_message);
  }

  asio::awaitable<void> accept(const request& x) override {
    co_await stream_.async_accept(x, asio::use_awaitable);
    co_await out_.drain();
  }

  void listen(std::function<void()> gone) override {
    stream_.async_read_some(asio::buffer(dropped_), [this, gone = std::move(gone)](error_code error, size_t) mutable {
      if (error)
        gone();
      else
        listen(std::move(gone));
    });
  }

  void say_goodbye() override {
    static const payload close_1001{std::string{"\x88\x02\x03\xe9"}};
    out_.send(close_1001);
  }

  void say_lost() override {
    static const payload close_1013{std::string{"\x88\x02\x03\xf5"}};
    out_.send(close_1013);
  }

  asio::awaitable<void> close() override {
    error_code ignored;
    co_await stream_.async_close(
        beast::websocket::close_code::normal, asio::redirect_error(asio::use_awaitable, ignored));
  }

private:
  beast::websocket::stream<gate, false> stream_; // without compression: sound does not shrink
  outlet& out_;
  std::array<char, 64> dropped_{};
};

} // namespace

std::unique_ptr<websocket> make_websocket(
    asio::ip::tcp::socket& socket, outlet& out, std::chrono::milliseconds silence, std::function<void()> drain_aside) {
  return std::make_unique<beast_websocket>(socket, out, silence, std::move(drain_aside));
}

} // namespace segue::http
