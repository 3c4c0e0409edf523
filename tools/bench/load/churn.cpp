// What comes and goes at random: listeners through every door, streams, appends, generations, purges. Twice everything is
// taken away, so that what stays behind is seen.
#include "loads.hpp"

#include "listener.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/epoll.h>

#include <numeric>
#include <random>
#include <tuple>
#include <unordered_set>

namespace load {

namespace {

struct churn_options {
  uint16_t port;
  server_processes server;
  double seconds;
  size_t listeners; ///< about so many at a time; so are the others: a number that wanders would be taken for memory that grows
  size_t streams;
  size_t generations;
  double rate; ///< steps a second
  uint64_t seed;
};

struct descriptors {
  double sockets = 0;
  double others = 0; ///< files of the store come and go with its compactions

  explicit descriptors(const server_processes& of) {
    for (auto id : of.ids) {
      auto folder = "/proc/" + std::to_string(id) + "/fd";
      auto* all = opendir(folder.c_str());
      if (all == nullptr)
        fail("cannot read " + folder);
      while (auto* entry = readdir(all)) {
        char target[16] = {};
        if (readlinkat(dirfd(all), entry->d_name, target, sizeof target - 1) > 0)
          ++(std::string_view{target}.starts_with("socket:") ? sockets : others);
      }
      closedir(all);
    }
  }
};

/// Where the straight line through all samples (least squares) begins and ends. What is written goes up and down in memory until
/// it is in files: a sample tells how full the table is at the moment, the line whether something stays.
std::pair<double, double> trend(const std::vector<int64_t>& samples) {
  auto count = static_cast<double>(samples.size());
  auto mean = std::accumulate(samples.begin(), samples.end(), 0.0) / count;
  double together = 0;
  double squares = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    auto from_middle = static_cast<double>(i) - (count - 1) / 2;
    together += from_middle * (static_cast<double>(samples[i]) - mean);
    squares += from_middle * from_middle;
  }
  auto half = squares > 0 ? together / squares * (count - 1) / 2 : 0;
  return {mean - half, mean + half};
}

class churning {
public:
  explicit churning(const churn_options& with)
      : with_{with}, host_{" HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(with.port) + "\r\n"}, dice_{with.seed} {}

  report run() {
    take_away_everything(); // with the first requests the server gets what it needs for any
    go_on_for(with_.seconds / 10);
    take_away_everything();
    descriptors early{with_.server};
    auto quiet_early = with_.server.memory();
    go_on_for(with_.seconds / 10); // what there is at a time has to become what it stays
    auto before = read_clocks(with_.server);
    memory_.clear();
    go_on_for(with_.seconds * 4 / 5);
    report numbers = used(before, read_clocks(with_.server));
    std::tie(numbers["memory_early"], numbers["memory_late"]) = trend(memory_);
    take_away_everything();
    descriptors late{with_.server};
    numbers["quiet_early"] = static_cast<double>(quiet_early);
    numbers["quiet_late"] = static_cast<double>(with_.server.memory());
    numbers["sockets_leaked"] = late.sockets - early.sockets;
    numbers["files_more"] = late.others - early.others;
    for (const auto& [what, count] : done_)
      numbers[what] = static_cast<double>(count);
    return numbers;
  }

private:
  void go_on_for(double seconds) {
    auto start = now_ns();
    auto end = start + static_cast<int64_t>(seconds * second);
    for (int64_t i = 0; now_ns() < end; ++i) {
      step();
      drain(start + static_cast<int64_t>(static_cast<double>(i) * second / with_.rate));
      if (now_ns() > looked_at_memory_ + second / 2) {
        memory_.push_back(with_.server.memory());
        looked_at_memory_ = now_ns();
      }
    }
  }

  void step() {
    switch (roll(100)) {
    case 0 ... 1:
      return roll(2 * with_.generations) >= generations_.size() ? generate() : purge();
    case 2 ... 8:
      return roll(2 * with_.streams) >= streams_.size() ? create() : remove();
    case 9 ... 39:
      return append();
    default:
      return roll(2 * with_.listeners) >= listeners_.size() ? join() : leave();
    }
  }

  void generate() {
    std::string body, wish = "{\"prompt\": \"lofi beat, take " + std::to_string(dice_()) + "\", \"duration_s\": "
                             + std::to_string(5 + roll(20)) + ", \"pace\": \"" + (roll(2) ? "fast" : "realtime") + "\"}";
    auto head = ask_for("POST", "/v1/generations", "application/json", wish, &body);
    if (has_status(head, "2"))
      generations_.push_back(request_id_in(body)), ++done_["generations"];
  }

  void purge() {
    if (generations_.empty())
      return;
    ask_for("DELETE", "/v1/generations/" + taken(generations_) + "?purge=true");
    ++done_["purges"];
  }

  void create() {
    auto name = "churn/" + std::to_string(done_["streams"]++);
    ask_for("PUT", "/v1/stream/" + name, "text/plain");
    streams_.push_back(name);
  }

  void remove() {
    if (!streams_.empty())
      ask_for("DELETE", "/v1/stream/" + taken(streams_));
  }

  void append() {
    if (streams_.empty())
      return create();
    ask_for("POST", "/v1/stream/" + streams_[roll(streams_.size())], "text/plain", std::string(1 + roll(16'000), 'x'));
    ++done_["appends"];
  }

  void join() {
    if (streams_.empty() || generations_.empty())
      return;
    auto& id = generations_[roll(generations_.size())];
    auto path = "/v1/stream/" + (roll(2) ? streams_[roll(streams_.size())] : "generations/" + id + (roll(2) ? "/audio" : "/events"));
    auto offset = roll(2) ? "?offset=-1" : "?offset=now";
    auto format = door::websocket;
    switch (roll(4)) {
    case 0:
      path += offset + std::string{"&live=sse"}, format = door::sse;
      break;
    case 1:
      path += offset + std::string{"&live=long-poll"}, format = door::bytes;
      break;
    case 2:
      path = "/v1/generations/" + id + "/audio", format = door::bytes;
      break;
    default:
      path += offset + std::string{"&live=websocket"};
    }
    int fd = connect_to(with_.port);
    auto request = listening_request(format, path, with_.port);
    if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0)
      fail("cannot ask for " + path);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    listeners_.insert(fd);
    ++done_["joins"];
  }

  void leave() {
    if (listeners_.empty())
      return;
    auto who = listeners_.begin(); // a random one, as they are in buckets by number
    for (auto jump = roll(8); jump > 0 && std::next(who) != listeners_.end(); --jump)
      ++who;
    close(*who);
    listeners_.erase(who);
    ++done_["leaves"];
  }

  void take_away_everything() {
    while (!listeners_.empty())
      leave();
    while (!streams_.empty())
      remove();
    while (!generations_.empty())
      purge();
    drain(now_ns() + 15 * second); // an allocator gives back what nobody has used for ten
  }

  /// Reads and forgets what listeners get, until that moment; at least once.
  void drain(int64_t moment) {
    static char buffer[256 * 1024];
    do {
      epoll_event events[64];
      int ready = epoll_wait(epoll_, events, 64, static_cast<int>(std::max<int64_t>(0, moment - now_ns()) / 1'000'000));
      for (int i = 0; i < ready; ++i) {
        int fd = events[i].data.fd;
        auto size = recv(fd, buffer, sizeof buffer, 0);
        if (size > 0 || (size < 0 && errno == EAGAIN))
          continue;
        close(fd); // the end of a piece, or its purge
        listeners_.erase(fd);
        ++done_["ended"];
      }
    } while (now_ns() < moment);
  }

  std::string ask_for(const char* method, const std::string& path, const std::string& type = {},
      const std::string& content = {}, std::string* body = nullptr) {
    std::string ignored, request = std::string{method} + ' ' + path + host_;
    if (!type.empty())
      request += "Content-Type: " + type + "\r\nContent-Length: " + std::to_string(content.size()) + "\r\n";
    auto head = exchange(requests_, request + "\r\n" + content, body ? *body : ignored);
    if (!has_status(head, "2") && !has_status(head, "429"))
      fail(method + (' ' + path) + " was answered " + head.substr(0, head.find('\r')));
    return head;
  }

  size_t roll(size_t sides) { return dice_() % sides; }

  std::string taken(std::vector<std::string>& from) {
    std::swap(from[roll(from.size())], from.back());
    auto one = from.back();
    from.pop_back();
    return one;
  }

  const churn_options& with_;
  std::string host_;
  std::mt19937_64 dice_;
  int requests_ = connect_to(with_.port);
  int epoll_ = epoll_create1(0);
  std::vector<std::string> streams_, generations_;
  std::unordered_set<int> listeners_;
  std::vector<int64_t> memory_; ///< of the server, every half second
  int64_t looked_at_memory_ = 0;
  std::map<std::string, uint64_t> done_{{"streams", 0}};
};

} // namespace

report churn(arguments& from) {
  churn_options with{static_cast<uint16_t>(from.number("--port", 0)), from.server(), from.real("--seconds", 90),
      static_cast<size_t>(from.number("--listeners", 300)), static_cast<size_t>(from.number("--streams", 40)),
      static_cast<size_t>(from.number("--generations", 20)), from.real("--rate", 200),
      static_cast<uint64_t>(from.number("--seed", 1))};
  from.refuse_others();
  return churning{with}.run();
}

} // namespace load
