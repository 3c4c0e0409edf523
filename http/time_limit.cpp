#include "http/time_limit.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/set.hpp>

namespace segue::http {

namespace asio = boost::asio;

/// All limits of one `io_context`. Nearly every limit is gone long before its time, so one timer is enough for all of them: it
/// is set when a limit comes that ends before the timer does, and stays as it is when one goes. A timer for each would be set
/// and cancelled twice with every request.
class time_limits final : public asio::execution_context::service {
public:
  static inline asio::execution_context::id id;

  explicit time_limits(asio::execution_context& context)
      : service(context), timer_(static_cast<asio::io_context&>(context)) {}

  void add(time_limit& x) {
    limits_.insert(x);
    if (x.ends_at_ < timer_ends_at_)
      set_timer(x.ends_at_);
  }

private:
  using clock = time_limit::clock;

  void shutdown() override { timer_.cancel(); }

  void set_timer(clock::time_point to) {
    timer_ends_at_ = to;
    timer_.expires_at(to);
    timer_.async_wait([this](boost::system::error_code cancelled) {
      if (!cancelled)
        end_what_is_over();
    });
  }

  void end_what_is_over() {
    timer_ends_at_ = clock::time_point::max();
    auto now = clock::now();
    while (!limits_.empty() && limits_.begin()->ends_at_ <= now) {
      auto& x = *limits_.begin();
      limits_.erase(limits_.begin());
      x.over_ = true;
      auto cancel = std::move(x.cancel_); // which may destroy `x`, and others
      cancel();
    }
    if (!limits_.empty() && limits_.begin()->ends_at_ < timer_ends_at_)
      set_timer(limits_.begin()->ends_at_);
  }

  boost::intrusive::multiset<time_limit, boost::intrusive::constant_time_size<false>> limits_; ///< the earliest first
  asio::steady_timer timer_;
  clock::time_point timer_ends_at_ = clock::time_point::max();
};

void time_limit::begin(asio::execution_context& on) { asio::use_service<time_limits>(on).add(*this); }

} // namespace segue::http
