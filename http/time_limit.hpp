// Bounds a wait on a socket. Beast's own timeouts close the socket, and then nothing more can be said.
#pragma once

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>

namespace segue::http {

/// Calls `cancel` when the time is over, unless it was destroyed before that. Used on one thread, of an `io_context`.
class time_limit {
public:
  template <class Executor>
  time_limit(const Executor& executor, std::chrono::milliseconds duration, std::function<void()> cancel)
      : timer_(executor, duration) {
    timer_.async_wait([state = state_, cancel = std::move(cancel)](boost::system::error_code cancelled) {
      if (cancelled || *state == state::off) // it may run out while it is being cancelled
        return;
      *state = state::over;
      cancel();
    });
  }

  ~time_limit() {
    if (*state_ == state::on)
      *state_ = state::off;
  }

  time_limit(const time_limit&) = delete;
  time_limit& operator=(const time_limit&) = delete;

  bool over() const { return *state_ == state::over; }

private:
  enum class state { on, off, over };

  std::shared_ptr<state> state_ = std::make_shared<state>(state::on);
  boost::asio::steady_timer timer_;
};

} // namespace segue::http
