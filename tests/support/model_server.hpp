// A model under test: real sockets on loopback, and an answer that the test writes byte by byte.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace segue {

/// One request, and the socket for its answer.
class model_connection {
public:
  explicit model_connection(int socket) : socket_(socket) { read_request(); }
  ~model_connection() { ::close(socket_); }
  model_connection(const model_connection&) = delete;
  model_connection& operator=(const model_connection&) = delete;

  const std::string& head() const { return head_; }
  const std::string& body() const { return body_; }

  /// False: Segue has hung up, or takes nothing for ten seconds.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      if (!ready(POLLOUT, std::chrono::seconds{10}))
        return false;
      auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0)
        return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
      sent_ += static_cast<size_t>(sent);
    }
    return true;
  }

  /// A status line and headers, one a line, and the empty line.
  bool answer(const std::string& status, const std::string& headers = {}) {
    std::string text = "HTTP/1.1 " + status + "\r\n";
    for (size_t at = 0; at < headers.size();) {
      auto end = std::min(headers.find('\n', at), headers.size());
      text += headers.substr(at, end - at) + "\r\n";
      at = end + 1;
    }
    return send(text + "\r\n");
  }

  bool chunk(std::string_view bytes) {
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    return send(size + std::string{bytes} + "\r\n");
  }

  /// The connection ends in a reset, as when a process is killed with bytes unread.
  void reset() {
    linger now{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

  /// Waits until Segue hangs up.
  bool hung_up(std::chrono::milliseconds patience) {
    char byte;
    return ready(POLLIN, patience) && ::recv(socket_, &byte, 1, MSG_DONTWAIT) <= 0;
  }

  /// Bytes the system has taken.
  size_t sent() const { return sent_; }

private:
  bool ready(short events, std::chrono::milliseconds patience) {
    pollfd x{socket_, events, 0};
    return ::poll(&x, 1, static_cast<int>(patience.count())) > 0;
  }

  void read_request() {
    std::string received;
    char block[4'096];
    size_t length = std::string::npos;
    while (received.size() < length) {
      auto count = ::recv(socket_, block, sizeof block, 0);
      if (count <= 0)
        return;
      received.append(block, static_cast<size_t>(count));
      auto end = received.find("\r\n\r\n");
      if (end == std::string::npos)
        continue;
      head_ = received.substr(0, end + 2);
      auto at = head_.find("Content-Length: ");
      length = end + 4 + (at == std::string::npos ? 0 : std::stoul(head_.substr(at + 16)));
      body_ = received.substr(end + 4);
    }
  }

  int socket_;
  std::string head_;
  std::string body_;
  size_t sent_ = 0;
};

/// Answers one connection after the other, each by `script`, which closes it by returning.
class model_server {
public:
  explicit model_server(std::function<void(model_connection&)> script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0
        || ::listen(listener_, 16) != 0 || ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error{"no socket to listen on"};
    port_ = ntohs(address.sin_port);
    thread_ = std::thread{[this] { serve(); }};
  }

  ~model_server() {
    ending_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/generate"; }
  size_t calls() const { return calls_; }

private:
  void serve() {
    while (!ending_) {
      auto socket = ::accept(listener_, nullptr, nullptr);
      if (socket < 0)
        return;
      ++calls_;
      model_connection connection{socket};
      script_(connection);
    }
  }

  std::function<void(model_connection&)> script_;
  int listener_ = -1;
  unsigned short port_ = 0;
  std::atomic<bool> ending_{false};
  std::atomic<size_t> calls_{0};
  std::thread thread_;
};

} // namespace segue
