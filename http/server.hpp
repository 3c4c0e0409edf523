// Accepts connections and gives each to one of the I/O threads, where all of it then happens.
#pragma once

#include "http/connection.hpp"
#include "http/tls.hpp"

#include <thread>

namespace segue::http {

class server {
public:
  /// Listens; throws `boost::system::system_error` when that is not possible. `where.port` is set to the real port.
  server(edge where, router routes, size_t threads);
  ~server();

  void start();

  /// Stops accepting, cuts streams, lets short responses finish for at most `bound`, and ends the threads.
  void stop(std::chrono::milliseconds bound);

  unsigned short port() const { return edge_.port; }

private:
  struct io_thread;

  asio::awaitable<void> accept();
  void adopt(io_thread& on, asio::ip::tcp::socket socket);
  asio::awaitable<void> adopt_behind(std::shared_ptr<tls_tunnel> tunnel, io_thread& on);

  edge edge_;
  router routes_;
  std::vector<std::unique_ptr<io_thread>> threads_;
  std::unique_ptr<asio::ip::tcp::acceptor> acceptor_;
  size_t next_ = 0;
  bool stopped_ = false;
};

} // namespace segue::http
