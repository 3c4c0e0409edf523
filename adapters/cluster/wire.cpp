#include "adapters/cluster/wire.hpp"

#include "adapters/cluster/hello.hpp"

#include <cerrno>
#include <cstring>
#include <memory>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace segue::cluster {

namespace {

bool wait_for(int socket, short what, deadline until) {
  for (;;) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    pollfd asked{socket, what, 0};
    auto found = ::poll(&asked, 1, static_cast<int>(std::max<int64_t>(left, 0)));
    if (found > 0)
      return true;
    if (found == 0 || errno != EINTR)
      return false;
  }
}

wire_error failed(int error) { return wire_error{std::strerror(error)}; }

using addresses = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

addresses resolve(std::string host, unsigned short port, int flags) {
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  if (int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found))
    throw wire_error{host + ": " + ::gai_strerror(error)};
  return {found, ::freeaddrinfo};
}

wire open_socket(const addrinfo& at) {
  int socket = ::socket(at.ai_family, at.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at.ai_protocol);
  if (socket < 0)
    throw failed(errno);
  return wire{socket};
}

void connect_to(const wire& x, const addrinfo& at, deadline until) {
  if (::connect(x.socket(), at.ai_addr, at.ai_addrlen) == 0)
    return;
  if (errno != EINPROGRESS)
    throw failed(errno);
  if (!wait_for(x.socket(), POLLOUT, until))
    throw failed(ETIMEDOUT);
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(x.socket(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0)
    throw failed(error);
}

} // namespace

wire::~wire() {
  if (socket_ >= 0)
    ::close(socket_);
}

int wire::release() { return std::exchange(socket_, -1); }

void wire::write_line(const std::string& line, deadline until) {
  auto text = line + "\n";
  for (size_t at = 0; at < text.size();) {
    auto sent = ::send(socket_, text.data() + at, text.size() - at, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0)
      at += static_cast<size_t>(sent);
    else if (errno != EAGAIN && errno != EINTR)
      throw failed(errno);
    else if (!wait_for(socket_, POLLOUT, until))
      throw wire_error{"it takes nothing"};
  }
}

std::string wire::read_line(deadline until) {
  std::string line;
  for (;;) {
    char next = 0;
    auto got = ::recv(socket_, &next, 1, MSG_DONTWAIT);
    if (got == 0)
      throw wire_error{"it has hung up"};
    if (got < 0 && errno != EAGAIN && errno != EINTR)
      throw failed(errno);
    if (got < 0 && !wait_for(socket_, POLLIN, until))
      throw wire_error{"it does not answer"};
    if (got < 0)
      continue;
    if (next == '\n')
      return line;
    line += next;
    if (line.size() > longest_line)
      throw wire_error{"it does not speak like a node of Segue"};
  }
}

wire dial(const std::string& host, unsigned short port, deadline until) {
  auto found = resolve(host, port, 0);
  std::string why = "no address";
  int left = 1; // shares of the time: one for each address, and one for what is said then
  for (auto* at = found.get(); at; at = at->ai_next)
    ++left;
  for (auto* at = found.get(); at; at = at->ai_next, --left) {
    try {
      auto x = open_socket(*at);
      auto now = std::chrono::steady_clock::now();
      connect_to(x, *at, now + (until - now) / left);
      return x;
    } catch (const wire_error& e) {
      why = e.what();
    }
  }
  throw wire_error{why};
}

wire listen_on(const std::string& host, unsigned short port) {
  auto found = resolve(host, port, AI_PASSIVE);
  auto x = open_socket(*found);
  int yes = 1;
  ::setsockopt(x.socket(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(x.socket(), found->ai_addr, found->ai_addrlen) != 0 || ::listen(x.socket(), 64) != 0)
    throw failed(errno);
  return x;
}

namespace {

std::pair<std::string, unsigned short> read_address(const sockaddr_storage& x) {
  char text[INET6_ADDRSTRLEN] = {};
  if (x.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(x);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    return {"[" + std::string{text} + "]", ntohs(v6.sin6_port)};
  }
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(x);
  ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
  return {text, ntohs(v4.sin_port)};
}

} // namespace

unsigned short port_of(int socket) {
  sockaddr_storage at{};
  socklen_t size = sizeof at;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&at), &size);
  return read_address(at).second;
}

std::string peer_of(int socket) {
  sockaddr_storage at{};
  socklen_t size = sizeof at;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&at), &size) != 0)
    return "nowhere";
  auto [host, port] = read_address(at);
  return host + ":" + std::to_string(port);
}

bool readable(int socket, deadline until) { return wait_for(socket, POLLIN, until); }

bool writable(int socket, deadline until) { return wait_for(socket, POLLOUT, until); }

cutter::cutter(int socket) : socket_(::fcntl(socket, F_DUPFD_CLOEXEC, 0)) {}

cutter::~cutter() { cut(); }

cutter& cutter::operator=(cutter&& other) noexcept {
  if (this != &other) {
    cut();
    socket_ = std::exchange(other.socket_, -1);
  }
  return *this;
}

void cutter::cut() {
  if (socket_ < 0)
    return;
  ::shutdown(socket_, SHUT_RDWR);
  ::close(std::exchange(socket_, -1));
}

std::chrono::milliseconds cutter::quiet() const {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (socket_ < 0 || ::getsockopt(socket_, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
    return std::chrono::milliseconds::max();
  return std::chrono::milliseconds{info.tcpi_last_data_recv};
}

} // namespace segue::cluster
