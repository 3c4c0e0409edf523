// The floor under Segue's fan-out: the least that a server can do which brings every chunk to every listener. One
// thread, one epoll, a frame built once for each chunk, and one send() for each listener. It keeps nothing.
//   floor PORT

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <boost/uuid/detail/sha1.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

/// A socket: a publisher until it asks for an upgrade, a listener from then on.
struct connection {
  int fd;
  bool listening = false;
  bool waits_for_room = false; ///< its socket was full: `unsent` goes out when there is room again
  std::string received{};      ///< of a request that has not come in full
  std::string unsent{};
};

/// What WebSocket wants to see in the answer to a handshake: base64(SHA-1(key + a constant)).
std::string accept_of(const std::string& key) {
  auto text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  boost::uuids::detail::sha1 hash;
  hash.process_bytes(text.data(), text.size());
  unsigned words[5];
  hash.get_digest(words);
  unsigned char bytes[21] = {}; // 20, and one of padding
  for (int i = 0; i < 20; ++i)
    bytes[i] = static_cast<unsigned char>(words[i / 4] >> (24 - i % 4 * 8));
  constexpr auto digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string base64;
  for (int i = 0; i < 21; i += 3) {
    auto bits = bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2];
    for (int shift = 18; shift >= 0; shift -= 6)
      base64 += digits[bits >> shift & 63];
  }
  base64.back() = '=';
  return base64;
}

/// One unmasked binary frame.
std::string frame_of(std::string_view payload) {
  auto size = payload.size();
  std::string frame{'\x82'};
  int length_bytes = size < 126 ? 0 : size <= 0xffff ? 2 : 8;
  frame += static_cast<char>(length_bytes == 0 ? size : length_bytes == 2 ? 126 : 127);
  for (int i = length_bytes - 1; i >= 0; --i)
    frame += static_cast<char>(size >> (8 * i));
  return frame.append(payload);
}

/// The value of a header field, spelled as the benchmark's client spells it; empty when it is not there.
std::string field(std::string_view head, std::string_view name) {
  auto at = head.find(name);
  if (at == head.npos)
    return {};
  at += name.size();
  return std::string{head.substr(at, head.find("\r\n", at) - at)};
}

class server {
public:
  explicit server(uint16_t port) {
    int yes = 1;
    setsockopt(acceptor_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(acceptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(acceptor_, 4096) != 0) {
      std::perror("floor: cannot listen");
      std::exit(1);
    }
    watch(EPOLL_CTL_ADD, acceptor_, EPOLLIN);
  }

  [[noreturn]] void run() {
    for (;;) {
      epoll_event events[64];
      int ready = epoll_wait(epoll_, events, 64, -1);
      for (int i = 0; i < ready; ++i) {
        int fd = events[i].data.fd;
        if (fd == acceptor_) {
          welcome();
          continue;
        }
        auto& with = *connections_[fd];
        if (events[i].events & EPOLLOUT)
          send_rest(with);
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
          receive(with);
      }
    }
  }

private:
  void watch(int operation, int fd, uint32_t events) const {
    epoll_event event{.events = events, .data = {.fd = fd}};
    epoll_ctl(epoll_, operation, fd, &event);
  }

  void welcome() {
    int fd = accept4(acceptor_, nullptr, nullptr, SOCK_NONBLOCK);
    if (fd < 0)
      return;
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    connections_.resize(std::max<size_t>(connections_.size(), fd + 1));
    connections_[fd] = std::make_unique<connection>(connection{.fd = fd});
    watch(EPOLL_CTL_ADD, fd, EPOLLIN);
  }

  void receive(connection& from) {
    static char buffer[256 * 1024];
    auto size = recv(from.fd, buffer, sizeof buffer, 0);
    if (size < 0 && errno == EAGAIN)
      return;
    if (size <= 0) {
      close(from.fd);
      connections_[from.fd].reset();
    } else if (!from.listening) { // what a listener says does not matter
      from.received.append(buffer, static_cast<size_t>(size));
      serve(from);
    }
  }

  /// Answers every request that has come in full.
  void serve(connection& from) {
    for (;;) {
      auto end = from.received.find("\r\n\r\n");
      if (end == std::string::npos)
        return;
      auto head = from.received.substr(0, end + 2);
      if (auto key = field(head, "Sec-WebSocket-Key: "); !key.empty()) {
        auto answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Accept: "
                      + accept_of(key) + "\r\n\r\n";
        send_to(from, answer);
        from.listening = true;
        return;
      }
      auto body = std::strtoul(field(head, "Content-Length: ").c_str(), nullptr, 10);
      if (from.received.size() < end + 4 + body)
        return;
      if (head.starts_with("POST"))
        publish(std::string_view{from.received}.substr(end + 4, body));
      from.received.erase(0, end + 4 + body);
      send_to(from, "HTTP/1.1 204 No Content\r\n\r\n");
    }
  }

  void publish(std::string_view chunk) {
    auto frame = frame_of(chunk);
    for (auto& to : connections_)
      if (to && to->listening)
        send_to(*to, frame);
  }

  /// One send(); what the socket does not take waits for room.
  void send_to(connection& to, std::string_view bytes) {
    if (!to.waits_for_room) {
      auto sent = send(to.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent == static_cast<ssize_t>(bytes.size()))
        return;
      if (sent > 0)
        bytes.remove_prefix(static_cast<size_t>(sent));
      to.waits_for_room = true;
      watch(EPOLL_CTL_MOD, to.fd, EPOLLIN | EPOLLOUT);
    }
    to.unsent += bytes;
  }

  void send_rest(connection& to) {
    auto sent = send(to.fd, to.unsent.data(), to.unsent.size(), MSG_NOSIGNAL);
    if (sent > 0)
      to.unsent.erase(0, static_cast<size_t>(sent));
    if (to.unsent.empty()) {
      to.waits_for_room = false;
      watch(EPOLL_CTL_MOD, to.fd, EPOLLIN);
    }
  }

  int epoll_ = epoll_create1(0);
  int acceptor_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  std::vector<std::unique_ptr<connection>> connections_; ///< by descriptor
};

} // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fputs("usage: floor PORT\n", stderr);
    return 2;
  }
  server{static_cast<uint16_t>(std::atoi(arguments[1]))}.run();
}
