#include "http/session.hpp"

#include <boost/asio/steady_timer.hpp>
#include <caf/make_actor.hpp>

namespace segue::http {

asio_actor::asio_actor(caf::actor_config& config, io_unit& on) : caf::event_based_actor(config), on_(on) {}

/// Without a behaviour an actor ends as soon as it waits for nothing; a session waits for sockets, too.
caf::behavior asio_actor::make_behavior() {
  return {[](caf::unit_t) {}};
}

void asio_actor::enqueue(caf::mailbox_element_ptr element, caf::execution_unit*) {
  std::lock_guard lock{mutex_};
  if (closed_)
    return;
  arrived_.push_back(std::move(element));
  if (arrived_.size() == 1)
    asio::post(on_.io(), [this, self = caf::strong_actor_ptr{ctrl()}] { drain(); });
}

void asio_actor::close() {
  {
    std::lock_guard lock{mutex_};
    closed_ = true;
  }
  awaited_responses_.clear();
  multiplexed_responses_.clear();
  // It has no timers and nothing in CAF's mailbox: looking for them would wake the clock's thread for each request.
  caf::monitorable_actor::cleanup(caf::exit_reason::user_shutdown, home_system().dummy_execution_unit());
}

void asio_actor::drain() {
  std::vector<caf::mailbox_element_ptr> batch;
  {
    std::lock_guard lock{mutex_};
    batch.swap(arrived_);
  }
  for (auto& element : batch)
    activate(&on_, *element);
}

session::session(io_unit& on) : on_(on) {}

session::~session() { rest(); }

asio_actor& session::actor() {
  if (!handle_) {
    auto& system = on_.system();
    caf::actor_config config{&on_};
    handle_ = caf::make_actor<asio_actor, caf::actor>(system.next_actor_id(), system.node(), &system, config, on_);
  }
  return *static_cast<asio_actor*>(caf::actor_cast<caf::abstract_actor*>(handle_));
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
      asio::post(on_.io(), [waiting] { std::move (*waiting)(); });
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
