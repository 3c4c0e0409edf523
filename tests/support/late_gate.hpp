// A gate in front of a server that keeps back what passes through it, and delivers it late: as some networks do.
#pragma once

#include "tests/support/redis_server.hpp"

#include <poll.h>

#include <list>
#include <mutex>

namespace segue {

/// One thread passes bytes both ways.
class late_gate {
public:
  explicit late_gate(uint16_t server) : server_(server), door_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    auto address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(door_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(door_, 16) != 0
        || ::getsockname(door_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error{"no gate"};
    port_ = ntohs(address.sin_port);
    thread_ = std::thread{[this] { run(); }};
  }
  late_gate(const late_gate&) = delete;
  late_gate& operator=(const late_gate&) = delete;

  ~late_gate() {
    ending_ = true;
    thread_.join();
    for (auto& x : passing_)
      x.close();
    ::close(door_);
  }

  uint16_t port() const { return port_; }

  /// From now on, what clients send over connections that are there is kept, even when they hang up.
  void hold() {
    std::lock_guard lock{mutex_};
    for (auto& x : passing_)
      x.held = true;
  }

  /// Delivers it all, and waits until the server has answered it, or hung up.
  void deliver() {
    std::lock_guard lock{mutex_};
    for (auto& x : passing_)
      if (x.held) {
        for (size_t sent = 0; sent < x.kept.size();)
          sent += static_cast<size_t>(std::max<ssize_t>(
              ::send(x.server, x.kept.data() + sent, x.kept.size() - sent, MSG_NOSIGNAL), 0));
        delivered_ += x.kept.size();
        ::shutdown(x.server, SHUT_WR); // the server reads everything, answers, and hangs up
        char bytes[4096];
        while (::recv(x.server, bytes, sizeof bytes, 0) > 0) {
        }
        x.close();
      }
    passing_.remove_if([](const pass& x) { return x.held; });
  }

  /// Bytes that came late.
  size_t delivered() const { return delivered_; }

private:
  struct pass {
    int client;
    int server;
    bool held = false;
    bool over = false;
    std::string kept;

    void close() {
      ::close(client);
      ::close(server);
    }
  };

  static sockaddr_in loopback(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  static bool readable(int socket, int patience_ms) {
    pollfd x{socket, POLLIN, 0};
    return ::poll(&x, 1, patience_ms) > 0;
  }

  void run() {
    while (!ending_) {
      auto idle = true;
      {
        std::lock_guard lock{mutex_};
        if (readable(door_, 0))
          let_in();
        for (auto& x : passing_) {
          idle = !move(x, x.client, x.server) && idle;
          if (!x.held)
            idle = !move(x, x.server, x.client) && idle;
          if (x.over && !x.held)
            x.close();
        }
        passing_.remove_if([](const pass& x) { return x.over && !x.held; });
      }
      if (idle)
        std::this_thread::sleep_for(std::chrono::microseconds{200});
    }
  }

  void let_in() {
    auto client = ::accept4(door_, nullptr, nullptr, SOCK_CLOEXEC);
    auto server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = loopback(server_);
    if (::connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
      passing_.push_back({client, server, false, false, {}});
    } else {
      ::close(client);
      ::close(server);
    }
  }

  /// Whether there was anything.
  bool move(pass& x, int from, int to) {
    if (x.over || !readable(from, 0))
      return false;
    char bytes[65536];
    auto got = ::recv(from, bytes, sizeof bytes, 0);
    if (got <= 0)
      x.over = true;
    else if (x.held)
      x.kept.append(bytes, static_cast<size_t>(got));
    else
      ::send(to, bytes, static_cast<size_t>(got), MSG_NOSIGNAL);
    return got > 0;
  }

  uint16_t server_;
  uint16_t port_ = 0;
  int door_;
  std::atomic<bool> ending_{false};
  std::atomic<size_t> delivered_{0};
  std::mutex mutex_;
  std::list<pass> passing_;
  std::thread thread_;
};

} // namespace segue
