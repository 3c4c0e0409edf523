// A gate in front of a server on loopback that may change what passes through it, or cut the connection.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

namespace segue {

/// One connection at a time.
class changing_gate {
public:
  /// May change the bytes. False: the connection is cut instead.
  using change = std::function<bool(std::string& bytes)>;

  /// It exists, and refuses every connection.
  changing_gate() : door_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    auto address = loopback(0);
    socklen_t size = sizeof address;
    if (door_ < 0 || ::bind(door_, reinterpret_cast<sockaddr*>(&address), size) != 0
        || ::getsockname(door_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error{"no gate"};
    port_ = ntohs(address.sin_port);
  }
  changing_gate(const changing_gate&) = delete;
  changing_gate& operator=(const changing_gate&) = delete;

  ~changing_gate() {
    ending_ = true;
    if (thread_.joinable())
      thread_.join();
    ::close(door_);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  /// From now on connections are made, but nobody answers.
  void listen() {
    if (::listen(door_, 16) != 0)
      throw std::runtime_error{"no gate"};
  }

  /// From now on it passes bytes to that port.
  void open(uint16_t server, change sent, change answered = {}) {
    sent_ = std::move(sent);
    answered_ = std::move(answered);
    listen();
    thread_ = std::thread{[this, server] {
      while (!ending_)
        if (readable(door_))
          pass(::accept4(door_, nullptr, nullptr, SOCK_CLOEXEC), server);
    }};
  }

  /// Ends the connection that is there.
  void cut() {
    cutting_ = true;
    while (cutting_)
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }

private:
  static sockaddr_in loopback(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  static bool readable(int socket) {
    pollfd x{socket, POLLIN, 0};
    return ::poll(&x, 1, 5) > 0;
  }

  void pass(int client, uint16_t port) {
    auto server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = loopback(port);
    bool there = ::connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    while (there && !ending_ && !cutting_) {
      pollfd both[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
      ::poll(both, 2, 5);
      there = (!both[0].revents || move(client, server, sent_)) && (!both[1].revents || move(server, client, answered_));
    }
    ::close(client);
    ::close(server);
    cutting_ = false;
  }

  static bool move(int from, int to, const change& touch) {
    std::string bytes(65'536, '\0');
    auto got = ::recv(from, bytes.data(), bytes.size(), 0);
    bytes.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (bytes.empty() || (touch && !touch(bytes)))
      return false;
    return ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }

  int door_;
  uint16_t port_ = 0;
  change sent_;
  change answered_;
  std::atomic<bool> ending_{false};
  std::atomic<bool> cutting_{false};
  std::thread thread_;
};

} // namespace segue
