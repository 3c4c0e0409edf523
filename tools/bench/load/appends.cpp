// Producers who append again as soon as the last append was acknowledged: over HTTP, to Redis, and straight to a file.
#include "loads.hpp"

#include "http.hpp"

#include <fcntl.h>
#include <sys/epoll.h>

#include <thread>

namespace load {

namespace {

/// What a producer says, and how it knows that it was heard.
struct protocol {
  virtual ~protocol() = default;
  virtual void prepare(int, const std::string&, uint16_t) const {}
  virtual std::string append(const std::string& name, const std::string& body, uint16_t port) const = 0;
  virtual bool take_acknowledgement(std::string& received) const = 0;
};

struct http final : protocol {
  std::string head(const char* method, const std::string& name, size_t size, uint16_t port) const {
    return std::string{method} + ' ' + name + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port)
           + "\r\nContent-Type: application/octet-stream\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
  }

  void prepare(int fd, const std::string& name, uint16_t port) const override {
    std::string rest;
    if (auto answer = ask(fd, head("PUT", name, 0, port), rest); !has_status(answer, "2"))
      fail("PUT " + name + " was answered " + answer.substr(0, answer.find('\r')));
  }

  std::string append(const std::string& name, const std::string& body, uint16_t port) const override {
    return head("POST", name, body.size(), port) + body;
  }

  bool take_acknowledgement(std::string& received) const override {
    auto head = take_response(received);
    if (!head.empty() && !has_status(head, "2"))
      fail("an append was answered " + head.substr(0, head.find('\r')));
    return !head.empty();
  }
};

/// RESP: `XADD name * d body` is answered by the id of the entry, a bulk string.
struct redis final : protocol {
  std::string append(const std::string& name, const std::string& body, uint16_t) const override {
    auto bulk = [](const std::string& text) { return '$' + std::to_string(text.size()) + "\r\n" + text + "\r\n"; };
    return "*5\r\n" + bulk("XADD") + bulk(name) + bulk("*") + bulk("d") + bulk(body);
  }

  bool take_acknowledgement(std::string& received) const override {
    auto first = received.find("\r\n");
    if (first == received.npos)
      return false;
    if (received.front() != '$')
      fail("XADD was answered " + received.substr(0, first));
    auto size = first + 2 + std::stoul(received.substr(1)) + 2;
    if (received.size() < size)
      return false;
    received.erase(0, size);
    return true;
  }
};

struct producer {
  int fd;
  std::string request;
  std::string received{};
  int64_t sent_ns = 0;
};

void send_append(producer& who) {
  who.sent_ns = now_ns();
  for (size_t at = 0; at < who.request.size();) { // the socket takes it all unless the server is stuck
    auto sent = send(who.fd, who.request.data() + at, who.request.size() - at, MSG_NOSIGNAL);
    if (sent <= 0)
      fail("a producer's connection broke");
    at += static_cast<size_t>(sent);
  }
}

report measured(const reading& before, const reading& after, std::vector<int64_t>& latencies) {
  auto numbers = used(before, after);
  auto count = static_cast<double>(latencies.size());
  numbers["acks_per_s"] = count / numbers["wall_s"];
  numbers["us_per_ack"] = numbers["cpu_s"] * 1e6 / count;
  add_latencies(numbers, latencies);
  return numbers;
}

} // namespace

report appends(arguments& from) {
  auto port = static_cast<uint16_t>(from.number("--port", 0));
  auto server = from.server();
  auto count = from.number("--producers", 64);
  auto body = std::string(static_cast<size_t>(from.number("--chunk", 4096)), 'x');
  auto name = from.text("--name", "/v1/stream/bench/{}");
  auto warm_up = static_cast<int64_t>(from.real("--warm-up", 1) * second);
  auto measure = static_cast<int64_t>(from.real("--seconds", 3) * second);
  std::unique_ptr<protocol> speaks;
  if (from.has("--redis"))
    speaks = std::make_unique<redis>();
  else
    speaks = std::make_unique<http>();
  from.refuse_others();

  int epoll = epoll_create1(0);
  std::vector<producer> producers;
  for (int64_t i = 0; i < count; ++i) {
    auto own = filled(name, std::to_string(i));
    producers.push_back({connect_to(port), speaks->append(own, body, port)});
    speaks->prepare(producers.back().fd, own, port);
    epoll_event event{.events = EPOLLIN, .data = {.u64 = static_cast<uint64_t>(i)}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, producers.back().fd, &event);
  }
  for (auto& each : producers)
    send_append(each);
  auto start = now_ns() + warm_up;
  bool measuring = false;
  reading before;
  std::vector<int64_t> latencies;
  while (!measuring || now_ns() < start + measure) {
    epoll_event events[64];
    int ready = epoll_wait(epoll, events, 64, 10'000);
    if (ready <= 0)
      fail("no append was acknowledged for 10 s");
    if (!measuring && now_ns() >= start) {
      measuring = true;
      before = read_clocks(server);
    }
    for (int i = 0; i < ready; ++i) {
      auto& who = producers[events[i].data.u64];
      char buffer[4096];
      auto size = recv(who.fd, buffer, sizeof buffer, 0);
      if (size <= 0)
        fail("a producer was cut off");
      who.received.append(buffer, static_cast<size_t>(size));
      if (!speaks->take_acknowledgement(who.received))
        continue;
      if (measuring)
        latencies.push_back(now_ns() - who.sent_ns);
      send_append(who);
    }
  }
  return measured(before, read_clocks(server), latencies);
}

report file_appends(arguments& from) {
  auto path = from.text("--file");
  auto body = std::string(static_cast<size_t>(from.number("--chunk", 4096)), 'x');
  auto measure = static_cast<int64_t>(from.real("--seconds", 3) * second);
  auto pause = static_cast<int64_t>(from.real("--pause", 0) * second);
  from.refuse_others();
  int fd = open(path.c_str(), O_CREAT | O_TRUNC | O_APPEND | O_WRONLY, 0600);
  server_processes self{{getpid()}};
  auto before = read_clocks(self);
  std::vector<int64_t> latencies;
  while (now_ns() < before.at + measure) {
    auto start = now_ns();
    if (write(fd, body.data(), body.size()) != static_cast<ssize_t>(body.size()) || fdatasync(fd) != 0)
      fail("cannot write " + path + ": " + std::strerror(errno));
    latencies.push_back(now_ns() - start);
    std::this_thread::sleep_for(std::chrono::nanoseconds{pause});
  }
  auto after = read_clocks(self);
  before.client_cpu = after.client_cpu = 0; // it is its own client
  auto numbers = measured(before, after, latencies);
  numbers["worst_ms"] = quantile(latencies, 1) / 1e6;
  return numbers;
}

} // namespace load
