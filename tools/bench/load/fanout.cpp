#include "fanout.hpp"

#include <fcntl.h>
#include <sys/epoll.h>

#include <cmath>

namespace load {

namespace {

constexpr int64_t look_every = second / 2000; ///< ns; latencies are as much too long

int64_t ns(double seconds) { return std::llround(seconds * second); }

} // namespace

fanout_options::fanout_options(arguments& from)
    : port{static_cast<uint16_t>(from.number("--port", 0))}, server{from.server()},
      listeners{static_cast<size_t>(from.number("--listeners", 1000))},
      streams{static_cast<size_t>(from.number("--streams", 1))},
      publish{from.text("--publish", "/v1/stream/bench/{}")},
      listen{from.text("--listen", "/v1/stream/bench/{}?offset=now&live=websocket")},
      type{from.text("--type", "application/octet-stream")}, producer{from.text("--producer")},
      format{door_named(from.text("--format", "websocket"))},
      chunks{.size = static_cast<size_t>(from.number("--chunk", 16 * 1024)), .sound = from.has("--sound")},
      rate{from.real("--rate", 20)}, warm_up{from.real("--warm-up", 2)}, seconds{from.real("--seconds", 4)},
      behind{static_cast<size_t>(from.number("--behind", 0))} {
  if (chunks.size < chunks.lead() + chunks.head_size || (chunks.sound && chunks.size % chunks.frame_size != 0))
    fail("--chunk is too small, or with --sound no multiple of 384");
}

fanout::fanout(const fanout_options& with) : with_{with}, epoll_{epoll_create1(0)} {
  publishers_.reserve(with.streams);
}

report fanout::at_the_tail() {
  for (size_t i = 0; i < with_.streams; ++i)
    add_publisher(i);
  open_listeners();
  auto all = with_.rate * static_cast<double>(with_.streams); // chunks a second
  auto first_measured = std::llround(with_.warm_up * all);
  auto count = first_measured + std::llround(with_.seconds * all);
  auto start = now_ns() + second / 2;
  auto due_at = [&](int64_t i) { return start + ns(static_cast<double>(i) / all); };
  std::vector<int64_t> lateness;
  reading before;
  uint64_t deliveries_before = 0;
  for (int64_t i = 0; i < count; ++i) {
    receive_until(due_at(i));
    if (i == first_measured) {
      before = read_clocks(with_.server);
      deliveries_before = deliveries_;
      latencies_.clear();
      lateness.clear();
    }
    lateness.push_back(now_ns() - due_at(i));
    publish(publishers_[static_cast<size_t>(i) % with_.streams]);
  }
  receive_until(due_at(count));
  auto numbers = used(before, read_clocks(with_.server));
  numbers["deliveries"] = static_cast<double>(deliveries_ - deliveries_before);
  numbers["deliveries_per_cpu_s"] = numbers["deliveries"] / numbers["cpu_s"];
  numbers["late_p99_ms"] = quantile(lateness, 0.99) / 1e6;
  receive_rest();
  add_latencies(numbers, latencies_); // also of what was heard only now: the longest
  add_mistakes(numbers);
  return numbers;
}

report fanout::catching_up() {
  for (size_t i = 0; i < with_.streams; ++i)
    add_publisher(i);
  for (size_t i = 0; i < with_.behind; ++i) {
    publish_one_each();
    for (int patience = 0; unanswered() > 0 && patience < 5000; ++patience)
      receive_until(now_ns() + 2 * second / 1000);
  }
  auto before = read_clocks(with_.server);
  open_listeners();
  for (auto& each : publishers_)
    each.first_heard = 0;
  auto give_up = now_ns() + 60 * second;
  while (deliveries_ < expected() && now_ns() < give_up)
    receive_until(now_ns() + look_every);
  auto numbers = used(before, read_clocks(with_.server));
  numbers["deliveries"] = static_cast<double>(deliveries_);
  numbers["deliveries_per_cpu_s"] = numbers["deliveries"] / numbers["cpu_s"];
  add_mistakes(numbers);
  return numbers;
}

report fanout::waiting() {
  for (size_t i = 0; i < with_.streams; ++i)
    add_publisher(i);
  publish_one_each(); // what the server needs for any stream at all is there before the first listener
  receive_until(now_ns() + second);
  auto memory = with_.server.memory();
  open_listeners();
  publish_one_each();
  receive_rest();
  receive_until(now_ns() + ns(with_.warm_up));
  auto added = with_.server.memory() - memory;
  auto before = read_clocks(with_.server);
  receive_until(before.at + ns(with_.seconds));
  auto numbers = used(before, read_clocks(with_.server));
  numbers["bytes_per_listener"] = static_cast<double>(added) / static_cast<double>(with_.listeners);
  add_mistakes(numbers);
  return numbers;
}

report fanout::open_streams() {
  report numbers;
  receive_until(now_ns() + ns(with_.warm_up));
  numbers["idle_bytes"] = static_cast<double>(with_.server.memory());
  add_publisher(0); // likewise
  publish_one_each();
  receive_rest();
  auto before = with_.server.memory();
  for (size_t i = 1; i < with_.streams; ++i) {
    add_publisher(i);
    publish(publishers_.back());
    receive_rest();
    close(publishers_.back().fd); // what a connection costs is measured elsewhere
  }
  receive_until(now_ns() + ns(with_.warm_up));
  auto added = static_cast<double>(with_.server.memory() - before);
  numbers["bytes_per_stream"] = added / static_cast<double>(with_.streams - 1);
  return numbers;
}

std::string fanout::request(const publisher& who, const char* method, size_t body) const {
  auto text = std::string{method} + ' ' + who.path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(with_.port)
              + "\r\nContent-Type: " + with_.type + "\r\nContent-Length: " + std::to_string(body) + "\r\n";
  if (!with_.producer.empty())
    text += "Producer-Id: " + with_.producer + "\r\nProducer-Epoch: 0\r\nProducer-Seq: " + std::to_string(who.sequence)
            + "\r\n";
  return text + "\r\n";
}

void fanout::watch(int fd) {
  fcntl(fd, F_SETFL, O_NONBLOCK);
  epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

void fanout::add_publisher(size_t stream) {
  auto& added = publishers_.emplace_back();
  added.fd = connect_to(with_.port);
  added.path = filled(with_.publish, std::to_string(stream));
  if (with_.producer.empty()) { // else its generation has made it
    auto head = ask(added.fd, request(added, "PUT", 0), added.answers);
    if (!has_status(head, "2"))
      fail("PUT " + added.path + " was answered " + head.substr(0, head.find('\r')));
  }
  stream_of_[added.fd] = stream;
  watch(added.fd);
}

void fanout::open_listeners() {
  for (size_t i = 0; i < with_.listeners; ++i) {
    auto stream = i % with_.streams;
    std::string rest;
    auto first = with_.behind > 0 ? 0 : publishers_[stream].sequence;
    auto path = filled(with_.listen, std::to_string(stream));
    listener opened{with_.format, path, with_.port, with_.chunks, first, stream, rest};
    auto& who = listeners_.emplace(opened.fd(), std::move(opened)).first->second;
    hear(who, rest);
    watch(who.fd());
  }
  for (auto& each : publishers_)
    each.first_heard = each.sequence;
}

void fanout::publish(publisher& to) {
  to.to_send += request(to, "POST", with_.chunks.size);
  to.to_send += with_.chunks.make(to.sequence++, now_ns());
  flush(to);
}

void fanout::publish_one_each() {
  for (auto& each : publishers_)
    publish(each);
}

void fanout::flush(publisher& from) {
  auto sent = send(from.fd, from.to_send.data(), from.to_send.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN)
    fail("a publisher's connection broke");
  from.to_send.erase(0, static_cast<size_t>(std::max<ssize_t>(sent, 0)));
  epoll_event event{.events = EPOLLIN | (from.to_send.empty() ? 0u : EPOLLOUT), .data = {.fd = from.fd}};
  epoll_ctl(epoll_, EPOLL_CTL_MOD, from.fd, &event);
}

/// Receives until that moment. It looks at the sockets from time to time instead of sleeping until one has something:
/// waking this process would be charged to the server's send(), which no listener on another machine costs it.
void fanout::receive_until(int64_t moment) {
  for (auto now = now_ns(); now < moment; now = now_ns()) {
    epoll_event events[64]; // few, so that no publishing waits for many listeners
    int ready = epoll_wait(epoll_, events, 64, 0);
    for (int i = 0; i < ready; ++i) {
      if (events[i].events & EPOLLOUT)
        flush(publishers_[stream_of_.at(events[i].data.fd)]);
      if (events[i].events & ~EPOLLOUT)
        receive(events[i].data.fd);
    }
    if (ready == 0)
      sleep_until(std::min(moment, now + look_every));
  }
}

/// Receives until everything published was answered and heard, or nothing comes any more.
void fanout::receive_rest() {
  auto left = [this] { return unanswered() + expected() - std::min(expected(), deliveries_); };
  auto before = left();
  for (int quiet = 0; quiet < 2500 && left() > 0; ++quiet) {
    receive_until(now_ns() + 2 * second / 1000);
    if (auto now = left(); std::exchange(before, now) != now)
      quiet = 0;
  }
  if (unanswered() > 0)
    fail(std::to_string(unanswered()) + " published chunks were never acknowledged");
}

void fanout::receive(int fd) {
  static char buffer[256 * 1024];
  auto size = recv(fd, buffer, sizeof buffer, 0);
  if (size < 0 && errno == EAGAIN)
    return;
  auto publisher = stream_of_.find(fd);
  bool publishing = publisher != stream_of_.end();
  if (size <= 0)
    fail(publishing ? "a publisher was cut off" : "a listener was cut off");
  std::string_view bytes{buffer, static_cast<size_t>(size)};
  if (publishing)
    take_answers(publishers_[publisher->second], bytes);
  else
    hear(listeners_.at(fd), bytes);
}

void fanout::take_answers(publisher& to, std::string_view bytes) {
  to.answers += bytes;
  for (auto head = take_response(to.answers); !head.empty(); head = take_response(to.answers)) {
    if (!has_status(head, "2"))
      fail("a published chunk was answered " + head.substr(0, head.find('\r')));
    ++to.answered;
  }
}

void fanout::hear(listener& who, std::string_view bytes) {
  auto now = now_ns();
  who.take(bytes, [&](int64_t sent) {
    ++deliveries_;
    latencies_.push_back(now - sent);
  });
}

void fanout::add_mistakes(report& numbers) const {
  numbers["gaps"] = numbers["doubles"] = 0;
  for (const auto& [fd, who] : listeners_) {
    numbers["gaps"] += static_cast<double>(who.chunks().gaps() + publishers_[who.stream()].sequence - who.chunks().next());
    numbers["doubles"] += static_cast<double>(who.chunks().doubles());
  }
}

/// Deliveries until now, if nothing is lost.
uint64_t fanout::expected() const {
  uint64_t sum = 0;
  for (const auto& [fd, who] : listeners_)
    sum += publishers_[who.stream()].sequence - publishers_[who.stream()].first_heard;
  return sum;
}

uint64_t fanout::unanswered() const {
  uint64_t sum = 0;
  for (const auto& each : publishers_)
    sum += each.sequence - each.answered;
  return sum;
}

} // namespace load
