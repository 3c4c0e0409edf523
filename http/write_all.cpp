#include "http/write_all.hpp"

#include "http/time_limit.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <span>

namespace segue::http {

namespace {

using boost::system::error_code;

asio::awaitable<void> await_room(asio::ip::tcp::socket& socket, std::chrono::milliseconds stall) {
  error_code error;
  time_limit limit{socket.get_executor(), stall, [&socket] {
    error_code ignored;
    socket.cancel(ignored);
  }};
  co_await socket.async_wait(asio::ip::tcp::socket::wait_write, asio::redirect_error(asio::use_awaitable, error));
  if (limit.over())
    error = asio::error::timed_out;
  if (error)
    throw boost::system::system_error{error};
}

} // namespace

asio::awaitable<void> write_all(
    asio::ip::tcp::socket& socket, std::vector<asio::const_buffer> bytes, std::chrono::milliseconds stall) {
  auto rest = std::span{bytes};
  for (;;) {
    error_code error;
    auto sent = socket.write_some(rest, error);
    if (error && error != asio::error::would_block)
      throw boost::system::system_error{error};
    while (!rest.empty() && sent >= rest.front().size()) {
      sent -= rest.front().size();
      rest = rest.subspan(1);
    }
    if (rest.empty())
      co_return;
    rest.front() += sent;
    co_await await_room(socket, stall);
  }
}

} // namespace segue::http
