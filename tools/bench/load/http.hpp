// As much of HTTP as the loads need, to a server on loopback.
#pragma once

#include "measure.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

namespace load {

inline int connect_to(uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    fail(std::string{"cannot connect: "} + std::strerror(errno));
  int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  timeval patience{.tv_sec = 10, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}

/// Takes the first response off `received`, body and all, and answers its head; empty when it has not come in full.
inline std::string take_response(std::string& received) {
  auto end = received.find("\r\n\r\n");
  if (end == received.npos)
    return {};
  auto head = received.substr(0, end + 4);
  size_t body = 0;
  constexpr std::string_view field = "Content-Length: ";
  if (auto at = head.find(field); at != head.npos)
    std::from_chars(head.data() + at + field.size(), head.data() + head.size(), body);
  if (received.size() < head.size() + body)
    return {};
  received.erase(0, head.size() + body);
  return head;
}

inline bool has_status(const std::string& head, std::string_view status) { return head.substr(9).starts_with(status); }

/// Sends a request and waits for its response; `rest` is what came behind it.
inline std::string ask(int fd, const std::string& request, std::string& rest) {
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    fail("cannot send a request");
  for (;;) {
    if (auto head = take_response(rest); !head.empty())
      return head;
    char buffer[4096];
    auto size = recv(fd, buffer, sizeof buffer, 0);
    if (size <= 0)
      fail("no answer to " + request.substr(0, request.find('\r')));
    rest.append(buffer, static_cast<size_t>(size));
  }
}

/// The same, for answers with a body.
inline std::string exchange(int fd, const std::string& request, std::string& body) {
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    fail("cannot send a request");
  std::string received;
  for (;;) {
    auto whole = received;
    if (auto head = take_response(received); !head.empty()) {
      body = whole.substr(head.size());
      return head;
    }
    char buffer[8192];
    auto size = recv(fd, buffer, sizeof buffer, 0);
    if (size <= 0)
      fail("no answer to " + request.substr(0, request.find('\r')));
    received.append(buffer, static_cast<size_t>(size));
  }
}

/// The id in what a wish for a generation is answered.
inline std::string request_id_in(const std::string& json) {
  constexpr std::string_view field = "\"request_id\":\"";
  auto at = json.find(field);
  if (at == json.npos)
    fail("there is no request_id in " + json);
  at += field.size();
  return json.substr(at, json.find('"', at) - at);
}

} // namespace load
