#include "http/outlet.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <sys/socket.h>

namespace segue::http {

using boost::system::error_code;

void outlet::send(payload frame) {
  if (error_ || frame.empty())
    return;
  bool first = waiting_.empty();
  waiting_.push_back(std::move(frame));
  if (first)
    send_waiting();
  if (when_busy_ && (error_ || !waiting_.empty()))
    when_busy_();
}

size_t outlet::send_now(int socket, std::string_view bytes) {
  auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent < 0 ? 0 : static_cast<size_t>(sent);
}

/// Bytes the socket took; 0 when it is full, or broken.
size_t outlet::write(std::span<iovec> parts) {
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  for (;;) {
    auto sent = ::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0)
      return static_cast<size_t>(sent);
    if (errno == EINTR)
      continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
      error_ = {errno, boost::system::system_category()};
      waiting_.clear();
    }
    return 0;
  }
}

void outlet::send_waiting() {
  std::array<iovec, 64> parts{};
  size_t count = 0;
  for (const auto& x : waiting_) {
    if (count == parts.size())
      break;
    auto bytes = x.view();
    parts[count++] = {const_cast<char*>(bytes.data()), bytes.size()};
  }
  auto sent = write({parts.data(), count});
  auto whole = waiting_.begin();
  for (; whole != waiting_.end() && sent >= whole->size(); ++whole)
    sent -= whole->size();
  if (whole != waiting_.end())
    *whole = whole->from(sent);
  waiting_.erase(waiting_.begin(), whole);
}

asio::awaitable<void> outlet::drain() {
  if (!waiting_.empty()) {
    asio::steady_timer timer{socket_.get_executor()};
    while (!waiting_.empty() && !error_) {
      auto waits = std::make_shared<bool>(true); // the timer may run out while the socket has just become writable
      timer.expires_after(stall_);
      timer.async_wait([this, waits](error_code cancelled) {
        if (cancelled || !*waits)
          return;
        error_ = asio::error::timed_out;
        socket_.cancel(cancelled);
      });
      error_code failed;
      co_await socket_.async_wait(
          asio::ip::tcp::socket::wait_write, asio::redirect_error(asio::use_awaitable, failed));
      *waits = false;
      timer.cancel();
      if (failed && !error_)
        error_ = failed;
      if (!error_)
        send_waiting();
    }
  }
  if (error_)
    throw boost::system::system_error{error_};
}

} // namespace segue::http
