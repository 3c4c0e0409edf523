// Bounds a wait on a socket. Beast's own timeouts close the socket, and then nothing more can be said.
#pragma once

#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>
#include <boost/intrusive/set_hook.hpp>

#include <chrono>
#include <functional>

namespace segue::http {

/// Calls `cancel` when the time is over, unless it was destroyed before that. Used on one thread, of an `io_context`.
class time_limit
    : public boost::intrusive::set_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
  using clock = std::chrono::steady_clock;

  template <class Executor>
  time_limit(const Executor& executor, std::chrono::milliseconds duration, std::function<void()> cancel)
      : ends_at_(clock::now() + duration), cancel_(std::move(cancel)) {
    begin(boost::asio::query(executor, boost::asio::execution::context));
  }

  time_limit(const time_limit&) = delete;
  time_limit& operator=(const time_limit&) = delete;

  bool over() const { return over_; }

  friend bool operator<(const time_limit& a, const time_limit& b) { return a.ends_at_ < b.ends_at_; }

private:
  friend class time_limits;

  void begin(boost::asio::execution_context& on);

  clock::time_point ends_at_;
  std::function<void()> cancel_;
  bool over_ = false;
};

} // namespace segue::http
