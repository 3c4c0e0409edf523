#include "http/server.hpp"

#include "actors/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <future>
#include <set>

namespace segue::http {

using boost::system::error_code;

/// One thread and everything that lives on it.
struct server::io_thread : io_parts {
  using io_parts::io_parts;

  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  std::set<std::shared_ptr<connection>> connections; ///< touched on this thread only
  std::set<std::shared_ptr<tls_tunnel>> tunnels;     ///< as well
  std::atomic<size_t> open = 0;
  std::thread thread;
};

server::server(edge where, router routes, size_t threads) : edge_(std::move(where)), routes_(std::move(routes)) {
  threads = std::max<size_t>(threads, 1);
  edge_.outlets.waiting /= threads; // nobody is cut off for those of another thread
  for (size_t i = 0; i < threads; ++i)
    threads_.push_back(std::make_unique<io_thread>(edge_));
  auto host = edge_.listen_host;
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  asio::ip::tcp::resolver resolver{threads_[0]->io};
  auto endpoint = resolver.resolve(host, std::to_string(edge_.port)).begin()->endpoint();
  acceptor_ = std::make_unique<asio::ip::tcp::acceptor>(threads_[0]->io);
  acceptor_->open(endpoint.protocol());
  acceptor_->set_option(asio::socket_base::reuse_address{true});
  acceptor_->bind(endpoint);
  acceptor_->listen(asio::socket_base::max_listen_connections);
  edge_.port = acceptor_->local_endpoint().port();
}

server::~server() { stop(std::chrono::milliseconds{0}); }

void server::start() {
  asio::co_spawn(threads_[0]->io, accept(), asio::detached);
  for (auto& x : threads_)
    x->thread = std::thread{[&io = x->io] { io.run(); }};
}

asio::awaitable<void> server::accept() {
  asio::steady_timer pause{threads_[0]->io};
  bool failing = false;
  while (acceptor_->is_open()) {
    auto& on = *threads_[next_++ % threads_.size()];
    error_code error;
    auto socket = co_await acceptor_->async_accept(on.io, asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted)
      co_return;
    if (error) { // out of descriptors, most likely: those in use will come back
      if (!std::exchange(failing, true))
        log::warning("http", "accept_failed", error.message() + "; tried again until it works");
      pause.expires_after(std::chrono::milliseconds{50});
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    failing = false;
    size_t open = 0;
    for (auto& x : threads_)
      open += x->open;
    if (open >= edge_.connections) {
      edge_.counters.connections_refused.Increment();
      continue; // the socket closes
    }
    ++on.open;
    asio::post(on.io, [this, &on, socket = std::move(socket)]() mutable { adopt(on, std::move(socket)); });
  }
}

void server::adopt(io_thread& on, asio::ip::tcp::socket socket) {
  if (edge_.tls) {
    auto tunnel = edge_.tls->meet(std::move(socket), {edge_.patience, edge_.outlets.stall});
    on.tunnels.insert(tunnel);
    asio::co_spawn(on.io, adopt_behind(tunnel, on), [&on, tunnel](std::exception_ptr) {
      on.tunnels.erase(tunnel);
      --on.open;
    });
    return;
  }
  auto client = make_connection(std::move(socket), edge_, routes_, on);
  on.connections.insert(client);
  asio::co_spawn(on.io, client->run(), [&on, client](std::exception_ptr) {
    on.connections.erase(client);
    --on.open;
  });
}

/// A client who speaks TLS. Its connection sees a plain socket, and the tunnel ends after it.
asio::awaitable<void> server::adopt_behind(std::shared_ptr<tls_tunnel> tunnel, io_thread& on) {
  auto socket = co_await tunnel->open();
  if (!socket)
    co_return;
  auto client = make_connection(std::move(*socket), edge_, routes_, on);
  on.connections.insert(client);
  asio::co_spawn(on.io, client->run(), [&on, client, tunnel](std::exception_ptr) {
    on.connections.erase(client);
    tunnel->release();
  });
  client.reset();
  co_await tunnel->carry();
}

void server::stop(std::chrono::milliseconds bound) {
  if (std::exchange(stopped_, true))
    return;
  auto deadline = std::chrono::steady_clock::now() + bound;
  asio::post(threads_[0]->io, [this] {
    error_code ignored;
    acceptor_->close(ignored);
  });
  for (auto& x : threads_)
    asio::post(x->io, [&on = *x] {
      auto clients = on.connections; // a connection that stops leaves the set
      for (auto& client : clients)
        client->stop();
      auto tunnels = on.tunnels;
      for (auto& tunnel : tunnels)
        tunnel->stop();
    });
  for (auto& x : threads_)
    while (x->thread.joinable() && x->open > 0 && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
  for (auto& x : threads_) {
    x->work.reset();
    x->io.stop();
    if (x->thread.joinable())
      x->thread.join();
  }
}

} // namespace segue::http
