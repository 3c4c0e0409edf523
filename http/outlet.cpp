#include "http/outlet.hpp"

#include "http/time_limit.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <utility>
#include <sys/socket.h>

namespace segue::http {

using boost::system::error_code;

outlet::~outlet() {
  when_idle_ = nullptr;
  fail(asio::error::operation_aborted);
}

void outlet::when_idle(std::function<void()> f) {
  when_idle_ = std::move(f);
  if (waiting_.empty())
    tell_idle();
}

void outlet::tell_idle() {
  if (auto f = std::exchange(when_idle_, nullptr))
    f();
}

void outlet::send(payload frame) {
  if (error_ || frame.empty())
    return;
  bool first = waiting_.empty();
  waiting_.push_back(std::move(frame));
  if (first)
    send_waiting();
  else
    count();
  if (!waiting_.empty())
    pool_.make_room();
  if (when_busy_ && (error_ || !waiting_.empty()))
    when_busy_();
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
    if (errno != EAGAIN && errno != EWOULDBLOCK)
      fail({errno, boost::system::system_category()});
    return 0;
  }
}

/// Keeps nothing any more.
void outlet::fail(error_code why) {
  error_ = why;
  waiting_.clear();
  count();
  tell_idle();
}

void outlet::count() {
  uint64_t bytes = 0;
  for (const auto& x : waiting_)
    bytes += x.size();
  if (bytes == counted_)
    return;
  if (counted_ == 0)
    place_ = pool_.busy_.insert(pool_.busy_.end(), this);
  else if (bytes == 0)
    pool_.busy_.erase(place_);
  pool_.limits_.counters.bytes_waiting.Increment(static_cast<double>(bytes) - static_cast<double>(counted_));
  pool_.kept_ += bytes - counted_;
  counted_ = bytes;
}

void outlet_pool::make_room() {
  while (!busy_.empty() && kept_ > limits_.waiting) {
    auto& longest = *busy_.front();
    limits_.counters.listeners_cut.Increment();
    longest.fail(asio::error::no_buffer_space);
    error_code ignored;
    longest.socket_.cancel(ignored); // it waits for room in its socket, and is told
  }
}

void outlet::send_waiting() {
  std::array<iovec, 64> parts{};
  size_t used = 0;
  for (const auto& x : waiting_) {
    if (used == parts.size())
      break;
    auto bytes = x.view();
    parts[used++] = {const_cast<char*>(bytes.data()), bytes.size()};
  }
  auto sent = write({parts.data(), used});
  auto whole = waiting_.begin();
  for (; whole != waiting_.end() && sent >= whole->size(); ++whole)
    sent -= whole->size();
  if (whole != waiting_.end())
    *whole = whole->from(sent);
  waiting_.erase(waiting_.begin(), whole);
  count();
  if (waiting_.empty())
    tell_idle();
}

asio::awaitable<void> outlet::drain() {
  while (!waiting_.empty() && !error_) {
    error_code failed;
    time_limit limit{socket_.get_executor(), pool_.limits().stall, [this] {
      error_code ignored;
      socket_.cancel(ignored);
    }};
    co_await socket_.async_wait(asio::ip::tcp::socket::wait_write, asio::redirect_error(asio::use_awaitable, failed));
    if (limit.over())
      fail(asio::error::timed_out);
    else if (failed && !error_)
      fail(failed);
    else if (!error_)
      send_waiting();
  }
  if (error_)
    throw boost::system::system_error{error_};
}

} // namespace segue::http
