// Clients who fetch a whole piece as fast as they can, again and again, and compare every byte.
#include "loads.hpp"

#include "files.hpp"
#include "http.hpp"

#include <sys/epoll.h>

namespace load {

namespace {

class client {
public:
  client(uint16_t port, std::string request, std::string_view piece)
      : fd_{connect_to(port)}, request_{std::move(request)}, piece_{piece} {}

  int fd() const { return fd_; }

  void ask() {
    head_.clear();
    at_ = 0;
    in_body_ = false;
    if (send(fd_, request_.data(), request_.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request_.size()))
      fail("cannot send a request");
  }

  /// Whether the piece is complete with these bytes.
  bool take(std::string_view bytes) {
    if (!in_body_) {
      head_ += bytes;
      auto end = head_.find("\r\n\r\n");
      if (end == head_.npos)
        return false;
      if (!has_status(head_, "200") || head_.find("Content-Length: " + std::to_string(piece_.size())) == head_.npos)
        fail("the piece was answered\n" + head_.substr(0, end));
      in_body_ = true;
      bytes.remove_prefix(bytes.size() - (head_.size() - end - 4));
    }
    if (piece_.substr(at_, bytes.size()) != bytes)
      fail("the piece came otherwise than it was made, at byte " + std::to_string(at_));
    at_ += bytes.size();
    return at_ == piece_.size();
  }

private:
  int fd_;
  std::string request_;
  std::string_view piece_;
  std::string head_;
  size_t at_ = 0; ///< how much of the piece has come
  bool in_body_ = false;
};

} // namespace

report replay(arguments& from) {
  auto port = static_cast<uint16_t>(from.number("--port", 0));
  auto server = from.server();
  auto count = from.number("--clients", 20);
  auto piece = mapped(from.text("--file"));
  auto request = "GET " + from.text("--path") + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) + "\r\n\r\n";
  bool once = from.has("--once");
  auto seconds = static_cast<int64_t>(from.real("--seconds", 3) * second);
  from.refuse_others();

  int epoll = epoll_create1(0);
  std::vector<client> clients;
  for (int64_t i = 0; i < count; ++i) {
    clients.emplace_back(port, request, piece);
    epoll_event event{.events = EPOLLIN, .data = {.u64 = static_cast<uint64_t>(i)}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, clients.back().fd(), &event);
  }
  auto before = read_clocks(server);
  for (auto& each : clients)
    each.ask();
  uint64_t bytes = 0;
  std::vector<char> buffer(512 * 1024);
  for (auto fetching = count; fetching > 0;) {
    epoll_event events[64];
    int ready = epoll_wait(epoll, events, 64, 10'000);
    if (ready <= 0)
      fail("nothing came for 10 s");
    for (int i = 0; i < ready; ++i) {
      auto& who = clients[events[i].data.u64];
      auto size = recv(who.fd(), buffer.data(), buffer.size(), 0);
      if (size <= 0)
        fail("a client was cut off");
      bytes += static_cast<uint64_t>(size);
      if (!who.take({buffer.data(), static_cast<size_t>(size)}))
        continue;
      if (once || now_ns() > before.at + seconds)
        --fetching;
      else
        who.ask();
    }
  }
  auto numbers = used(before, read_clocks(server));
  numbers["mb"] = static_cast<double>(bytes) / 1e6;
  numbers["mb_per_cpu_s"] = numbers["mb"] / numbers["cpu_s"];
  numbers["mb_per_s"] = numbers["mb"] / numbers["wall_s"];
  return numbers;
}

} // namespace load
