#include "http/write_all.hpp"

#include "http/give_way.hpp"
#include "http/time_limit.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <span>

#include <sys/sendfile.h>
#include <sys/socket.h>

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

/// How many of the first parts lie in a file one behind the other.
size_t in_one_file(std::span<const payload> parts) {
  size_t count = 0;
  for (auto next = parts.front().offset(); count < parts.size(); next += parts[count++].size())
    if (parts[count].file() < 0 || parts[count].file() != parts.front().file() || parts[count].offset() != next)
      break;
  return count;
}

ssize_t send_from_file(int socket, std::span<const payload> parts, size_t most) {
  size_t size = 0;
  for (const auto& x : parts)
    size += x.size();
  auto from = static_cast<off_t>(parts.front().offset());
  return ::sendfile(socket, parts.front().file(), &from, std::min(size, most));
}

/// Those that lie in no file, up to the first that does.
ssize_t send_from_memory(int socket, std::span<const payload> parts, size_t most) {
  std::array<iovec, 64> vectors{};
  size_t used = 0;
  for (; used < std::min(vectors.size(), parts.size()) && most > 0 && parts[used].file() < 0; ++used) {
    auto bytes = parts[used].view().substr(0, most);
    vectors[used] = {const_cast<char*>(bytes.data()), bytes.size()};
    most -= bytes.size();
  }
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = used;
  return ::sendmsg(socket, &message, MSG_NOSIGNAL | (used < parts.size() ? MSG_MORE : 0));
}

/// How many bytes the socket took; 0: it is full.
size_t send_some(int socket, std::span<const payload> parts, size_t most) {
  auto shared = in_one_file(parts);
  for (;;) {
    auto sent = shared > 0 ? send_from_file(socket, parts.first(shared), most) : send_from_memory(socket, parts, most);
    if (sent >= 0)
      return static_cast<size_t>(sent);
    if (errno == EAGAIN || errno == EWOULDBLOCK)
      return 0;
    if (errno != EINTR)
      throw boost::system::system_error{errno, boost::system::system_category()};
  }
}

/// What is left behind so many bytes.
std::span<payload> behind(std::span<payload> parts, size_t sent) {
  while (!parts.empty() && sent >= parts.front().size()) {
    sent -= parts.front().size();
    parts = parts.subspan(1);
  }
  if (!parts.empty())
    parts.front() = parts.front().from(sent);
  return parts;
}

} // namespace

asio::awaitable<void> write_all(
    asio::io_context& io, asio::ip::tcp::socket& socket, std::vector<payload> bytes, write_limits limits) {
  std::erase_if(bytes, [](const payload& x) { return x.empty(); });
  auto left = limits.slice;
  for (std::span rest{bytes}; !rest.empty();) {
    auto sent = send_some(socket.native_handle(), rest, left);
    rest = behind(rest, sent);
    left -= sent;
    if (rest.empty() || (sent > 0 && left > 0))
      continue;
    if (sent == 0)
      co_await await_room(socket, limits.stall);
    else
      co_await give_way(io);
    left = limits.slice;
  }
}

} // namespace segue::http
