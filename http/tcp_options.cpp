#include "http/tcp_options.hpp"

#include <algorithm>

#include <netinet/tcp.h>

namespace segue::http {

void prepare(boost::asio::ip::tcp::socket& socket, std::chrono::milliseconds silence) {
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  socket.set_option(boost::asio::ip::tcp::no_delay{true}, ignored);
  socket.set_option(boost::asio::socket_base::keep_alive{true}, ignored);
  int limit = static_cast<int>(silence.count());
  int seconds = std::max(limit / 2000, 1);
  auto tell = [&socket](int option, int value) {
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, option, &value, sizeof value);
  };
  tell(TCP_USER_TIMEOUT, limit);
  tell(TCP_KEEPIDLE, seconds);
  tell(TCP_KEEPINTVL, seconds);
}

} // namespace segue::http
