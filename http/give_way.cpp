#include "http/give_way.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <deque>
#include <functional>
#include <memory>

namespace segue::http {

namespace asio = boost::asio;

namespace {

/// Who waits, on one `io_context`.
class bulk_queue final : public asio::execution_context::service {
public:
  static inline asio::execution_context::id id;

  explicit bulk_queue(asio::execution_context& context) : service(context), io_(static_cast<asio::io_context&>(context)) {}

  void add(std::function<void()> go_on) {
    waiting_.push_back(std::move(go_on));
    if (waiting_.size() == 1)
      wake_next();
  }

private:
  void shutdown() override { waiting_.clear(); }

  void wake_next() {
    asio::post(io_, [this] {
      auto go_on = std::move(waiting_.front());
      waiting_.pop_front();
      if (!waiting_.empty())
        wake_next();
      go_on();
    });
  }

  asio::io_context& io_;
  std::deque<std::function<void()>> waiting_;
};

} // namespace

asio::awaitable<void> give_way(asio::io_context& io) {
  auto wait = [&io](auto handler) {
    auto waiting = std::make_shared<decltype(handler)>(std::move(handler));
    asio::use_service<bulk_queue>(io).add([waiting] { std::move (*waiting)(); });
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(wait, asio::use_awaitable);
}

} // namespace segue::http
