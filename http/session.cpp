#include "http/session.hpp"

#include <boost/asio/steady_timer.hpp>
#include <caf/make_actor.hpp>

namespace segue::http {

session::session(io_unit& on) : on_(on) {}

session::~session() { rest(); }

io_actor& session::actor() {
  if (!handle_) {
    auto& system = on_.system();
    caf::actor_config config{&on_};
    handle_ = caf::make_actor<io_actor, caf::actor>(system.next_actor_id(), system.node(), &system, config, on_);
  }
  return *static_cast<io_actor*>(caf::actor_cast<caf::abstract_actor*>(handle_));
}

void session::rest() {
  if (!handle_)
    return;
  actor().close();
  handle_ = nullptr;
}

asio::awaitable<void> session::suspend(std::function<void(std::function<void()>)> start) {
  if (aborted_)
    co_return;
  auto initiate = [&](auto handler) {
    auto waiting = std::make_shared<decltype(handler)>(std::move(handler));
    auto resume = [this, waiting, resumed = std::make_shared<bool>(false)] {
      if (std::exchange(*resumed, true))
        return;
      abort_ = nullptr;
      on_.go_on_later([waiting] { std::move (*waiting)(); });
    };
    abort_ = [resume](const caf::error&) { resume(); };
    start(resume);
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(initiate, asio::use_awaitable);
}

asio::awaitable<void> session::pause(std::chrono::milliseconds duration) {
  asio::steady_timer timer{on_.io(), duration};
  co_await suspend([&timer](std::function<void()> resume) {
    timer.async_wait([resume](boost::system::error_code cancelled) {
      if (!cancelled)
        resume();
    });
  });
}

void session::abort() {
  aborted_ = true;
  give_up(client_left());
}

void session::give_up(caf::error why) {
  if (auto abort = std::exchange(abort_, nullptr))
    abort(std::move(why));
}

} // namespace segue::http
