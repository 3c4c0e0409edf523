// The load of the fan-out benchmark: opens many WebSocket listeners on one stream, publishes chunks on an absolute
// schedule over one pipelined HTTP connection, checks what every listener hears, and reads the CPU clocks of the
// server's processes. One thread, so that the server has a core of its own. Prints one JSON object.

#include "fanout_http.hpp"
#include "fanout_listener.hpp"
#include "fanout_measure.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <unordered_map>

namespace fanout {
namespace {

constexpr int64_t look_every = second / 2000; ///< ns; latencies are as much too long
constexpr const char* path = "/v1/stream/bench/fanout";

struct options {
  uint16_t port = 0;
  server_processes server;
  size_t listeners = 1000;
  size_t chunk = 16 * 1024; ///< bytes
  int64_t rate = 20;        ///< chunks per second
  int64_t warm_up = 2;      ///< seconds
  int64_t seconds = 8;      ///< measured
  bool idle = false;        ///< measure listeners who hear nothing
};

/// What had been used and delivered at one moment.
struct reading {
  int64_t at = 0;         ///< ns, as everything else but the number of deliveries
  int64_t server_cpu = 0; ///< of all its processes and threads
  int64_t client_cpu = 0;
  int64_t machine_cpu = 0; ///< of everything that runs on it
  uint64_t deliveries = 0;
};

class bench {
public:
  explicit bench(const options& with) : with_{with}, host_{"Host: 127.0.0.1:" + std::to_string(with.port) + "\r\n"} {
    std::string rest;
    auto head = ask(publisher_, request("PUT", 0), rest);
    if (!has_status(head, "2"))
      fail(std::string{"PUT "} + path + " was answered " + head.substr(0, head.find('\r')));
    watch(publisher_);
  }

  /// Chunks at their times: what the server spent, and the listeners heard, after the warm-up.
  void fan_out() {
    open_listeners();
    auto interval = second / with_.rate;
    auto first_measured = with_.warm_up * with_.rate;
    auto count = first_measured + with_.seconds * with_.rate;
    auto start = now_ns() + second / 2;
    std::vector<int64_t> lateness;
    reading before;
    for (int64_t i = 0; i < count; ++i) {
      auto due = start + i * interval;
      receive_until(due);
      if (i == first_measured) {
        before = read();
        latencies_.clear();
        lateness.clear();
      }
      lateness.push_back(now_ns() - due);
      publish();
    }
    receive_until(start + count * interval);
    auto after = read();
    auto latencies = std::exchange(latencies_, {});
    receive_rest();
    auto wall = static_cast<double>(after.at - before.at);
    auto server_cpu = static_cast<double>(after.server_cpu - before.server_cpu);
    auto client_cpu = static_cast<double>(after.client_cpu - before.client_cpu);
    auto machine_cpu = static_cast<double>(after.machine_cpu - before.machine_cpu);
    auto deliveries = static_cast<double>(after.deliveries - before.deliveries);
    print({
        {"deliveries", deliveries},
        {"deliveries_per_cpu_s", deliveries * second / server_cpu},
        {"server_share", server_cpu / wall},
        {"client_share", client_cpu / wall},
        {"others_share", std::max(0.0, machine_cpu - server_cpu - client_cpu) / wall},
        {"p50_ms", quantile(latencies, 0.50) / 1e6},
        {"p99_ms", quantile(latencies, 0.99) / 1e6},
        {"late_p99_ms", quantile(lateness, 0.99) / 1e6},
    });
  }

  /// Listeners who have heard one chunk and wait for the next: what they cost in memory and CPU.
  void idle() {
    publish(); // what the server needs for any stream at all is there before the first listener
    receive_until(now_ns() + second);
    auto memory = with_.server.memory();
    open_listeners();
    publish();
    receive_rest();
    receive_until(now_ns() + with_.warm_up * second);
    auto added = with_.server.memory() - memory;
    auto before = read();
    receive_until(before.at + with_.seconds * second);
    auto after = read();
    print({
        {"bytes_per_listener", static_cast<double>(added) / static_cast<double>(with_.listeners)},
        {"server_share",
            static_cast<double>(after.server_cpu - before.server_cpu) / static_cast<double>(after.at - before.at)},
    });
  }

private:
  std::string request(const std::string& method, size_t body) const {
    return method + ' ' + path + " HTTP/1.1\r\n" + host_
           + "Content-Type: application/octet-stream\r\nContent-Length: " + std::to_string(body) + "\r\n\r\n";
  }

  void watch(int fd) {
    fcntl(fd, F_SETFL, O_NONBLOCK);
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void open_listeners() {
    // The key and its acceptance are the example of RFC 6455.
    auto upgrade = "GET " + std::string{path} + "?offset=now&live=websocket HTTP/1.1\r\n" + host_
                   + "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    for (size_t i = 0; i < with_.listeners; ++i) {
      int fd = connect_to(with_.port);
      std::string rest;
      auto head = ask(fd, upgrade, rest);
      if (!has_status(head, "101") || head.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") == head.npos)
        fail("the handshake of a listener was answered " + head.substr(0, head.find('\r')));
      listeners_.try_emplace(fd, with_.chunk, sequence_);
      hear(fd, rest);
      watch(fd);
    }
    first_heard_ = sequence_;
  }

  void publish() {
    to_send_ += request("POST", with_.chunk);
    to_send_ += make_chunk(sequence_++, now_ns(), with_.chunk);
    flush();
  }

  void flush() {
    auto sent = send(publisher_, to_send_.data(), to_send_.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
      fail("the publisher's connection broke");
    to_send_.erase(0, static_cast<size_t>(std::max<ssize_t>(sent, 0)));
    epoll_event event{.events = EPOLLIN | (to_send_.empty() ? 0u : EPOLLOUT), .data = {.fd = publisher_}};
    epoll_ctl(epoll_, EPOLL_CTL_MOD, publisher_, &event);
  }

  /// Receives until that moment. It looks at the sockets from time to time instead of sleeping until one has something:
  /// waking this process would be charged to the server's send(), which no listener on another machine costs it.
  void receive_until(int64_t moment) {
    for (auto now = now_ns(); now < moment; now = now_ns()) {
      epoll_event events[64]; // few, so that no publishing waits for many listeners
      int ready = epoll_wait(epoll_, events, 64, 0);
      for (int i = 0; i < ready; ++i) {
        if (events[i].events & EPOLLOUT)
          flush();
        if (events[i].events & ~EPOLLOUT)
          receive(events[i].data.fd);
      }
      if (ready == 0)
        sleep_until(std::min(moment, now + look_every));
    }
  }

  /// Receives until everything published was answered and heard, or nothing comes any more.
  void receive_rest() {
    auto expected = with_.listeners * (sequence_ - first_heard_);
    for (int quiet = 0; quiet < 50 && (answered_ < sequence_ || deliveries_ < expected); ++quiet) {
      auto before = answered_ + deliveries_;
      receive_until(now_ns() + second / 10);
      if (answered_ + deliveries_ > before)
        quiet = 0;
    }
    if (answered_ < sequence_)
      fail(std::to_string(sequence_ - answered_) + " published chunks were never acknowledged");
  }

  void receive(int fd) {
    static char buffer[256 * 1024];
    auto size = recv(fd, buffer, sizeof buffer, 0);
    if (size < 0 && errno == EAGAIN)
      return;
    if (size <= 0)
      fail(fd == publisher_ ? "the publisher was cut off" : "a listener was cut off");
    std::string_view bytes{buffer, static_cast<size_t>(size)};
    if (fd == publisher_)
      take_answers(bytes);
    else
      hear(fd, bytes);
  }

  void take_answers(std::string_view bytes) {
    answers_ += bytes;
    for (auto head = take_response(answers_); !head.empty(); head = take_response(answers_)) {
      if (!has_status(head, "2"))
        fail("a published chunk was answered " + head.substr(0, head.find('\r')));
      ++answered_;
    }
  }

  void hear(int fd, std::string_view bytes) {
    auto& who = listeners_.at(fd);
    auto now = now_ns();
    who.take(bytes, [&](int64_t sent) {
      ++deliveries_;
      latencies_.push_back(now - sent);
    });
    constexpr char pong[] = {'\x8a', '\x80', 0, 0, 0, 0}; // empty, masked with zeros
    if (who.take_ping() && send(fd, pong, sizeof pong, MSG_NOSIGNAL) < 0)
      fail("a listener cannot answer a ping");
  }

  reading read() const {
    return {now_ns(), with_.server.cpu_ns(), clock_ns(CLOCK_PROCESS_CPUTIME_ID), machine_cpu_ns(), deliveries_};
  }

  /// One JSON object: these numbers, and what was wrong with what the listeners heard.
  void print(std::map<std::string, double> numbers) const {
    for (const auto& [fd, who] : listeners_) {
      numbers["gaps"] += static_cast<double>(who.gaps() + sequence_ - who.next());
      numbers["doubles"] += static_cast<double>(who.doubles());
    }
    auto separator = '{';
    for (const auto& [name, value] : numbers)
      std::printf("%c\"%s\": %.17g", std::exchange(separator, ','), name.c_str(), value);
    std::puts("}");
  }

  const options& with_;
  std::string host_; ///< the header field
  int epoll_ = epoll_create1(0);
  int publisher_ = connect_to(with_.port);
  std::string to_send_;                         ///< requests that the publisher's socket has not taken yet
  std::string answers_;                         ///< the part of an answer that has come
  std::unordered_map<int, listener> listeners_; ///< by socket
  uint64_t sequence_ = 0;                       ///< chunks published
  uint64_t first_heard_ = 0;                    ///< the first one after the listeners came
  uint64_t answered_ = 0;
  uint64_t deliveries_ = 0;
  std::vector<int64_t> latencies_; ///< ns from just before the publishing to the last byte heard
};

options parse(int count, char** arguments) {
  options with;
  std::map<std::string_view, int64_t> numbers{{"--port", 0}, {"--listeners", with.listeners}, {"--chunk", with.chunk},
      {"--rate", with.rate}, {"--warm-up", with.warm_up}, {"--seconds", with.seconds}};
  for (int i = 1; i < count; ++i) {
    std::string_view name = arguments[i];
    if (name == "--idle")
      with.idle = true;
    else if (name == "--server" && i + 1 < count)
      with.server.ids.push_back(std::atoi(arguments[++i]));
    else if (numbers.contains(name) && i + 1 < count)
      numbers[name] = std::atoll(arguments[++i]);
    else
      fail("usage: fanout_client --port PORT --server PID [--server PID …] [--listeners N] [--chunk BYTES]\n"
           "         [--rate CHUNKS_PER_SECOND] [--warm-up SECONDS] [--seconds SECONDS] [--idle]");
  }
  with.port = static_cast<uint16_t>(numbers["--port"]);
  with.listeners = numbers["--listeners"];
  with.chunk = std::max<size_t>(numbers["--chunk"], sizeof(chunk_head));
  with.rate = numbers["--rate"];
  with.warm_up = numbers["--warm-up"];
  with.seconds = numbers["--seconds"];
  return with;
}

/// Takes as many descriptors as the system gives.
void raise_limits() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace
} // namespace fanout

int main(int count, char** arguments) try {
  auto with = fanout::parse(count, arguments);
  fanout::raise_limits();
  fanout::bench run{with};
  with.idle ? run.idle() : run.fan_out();
} catch (const std::exception& e) {
  std::fprintf(stderr, "fanout_client: %s\n", e.what());
  return 1;
}
