#include "adapters/cluster/door.hpp"

#include <sys/socket.h>

namespace segue::cluster {

namespace {

using namespace std::chrono_literals;

deadline in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

} // namespace

door::door(door_options options)
    : options_(std::move(options)), acceptor_(listen_on(options_.host, options_.port)), port_(port_of(acceptor_.socket())) {}

door::~door() { stop(); }

void door::open(door_keeper keeper) {
  keeper_ = std::move(keeper);
  thread_ = std::thread{[this] { listen(); }};
}

void door::stop() {
  if (stopped_.exchange(true))
    return;
  if (thread_.joinable())
    thread_.join();
  {
    std::lock_guard lock{mutex_};
    for (auto& x : visits_)
      if (x.socket >= 0)
        ::shutdown(x.socket, SHUT_RDWR);
  }
  sweep(true);
  keeper_ = {};
}

void door::cut(const std::string& id) {
  std::lock_guard lock{mutex_};
  if (auto known = inside_.find(id); known != inside_.end())
    known->second.cut();
}

void door::forget(const std::string& id) {
  std::lock_guard lock{mutex_};
  inside_.erase(id);
}

void door::listen() {
  while (!stopped_) {
    bool somebody = readable(acceptor_.socket(), in(100ms));
    sweep(false);
    int socket = somebody ? ::accept4(acceptor_.socket(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;
    if (socket < 0) {
      if (somebody) // out of descriptors, most likely: those in use will come back
        std::this_thread::sleep_for(50ms);
      continue;
    }
    wire guest{socket};
    std::lock_guard lock{mutex_};
    if (visits_.size() >= options_.at_a_time) {
      keeper_.refused(peer_of(socket), "too many say hello at a time");
      continue;
    }
    auto& x = visits_.emplace_back();
    x.socket = socket;
    x.thread = std::thread{[this, &x, guest = std::move(guest)]() mutable { receive(x, std::move(guest)); }};
  }
}

void door::receive(visit& x, wire socket) {
  auto address = peer_of(socket.socket());
  auto until = in(options_.patience);
  try {
    greet(socket, x);
  } catch (const refusal& why) {
    keeper_.refused(address, why.what());
    try {
      socket.write_line(refusal_line(why), until);
    } catch (const wire_error&) { // then it does not hear why
    }
  } catch (const wire_error& why) {
    keeper_.refused(address, why.what());
  }
  std::lock_guard lock{mutex_};
  x.socket = -1;
  x.over = true;
}

void door::greet(wire& socket, visit& x) {
  auto until = in(options_.patience);
  host talk{options_.self, options_.secret};
  socket.write_line(talk.challenge(socket.read_line(until)), until);
  auto welcome = talk.welcome(socket.read_line(until));
  make_room_for(talk.other().id);
  socket.write_line(welcome, until);
  auto with = std::make_unique<secrecy>(socket, secrecy::side::host, talk.key(), until + 500ms);
  keeper_.announce({talk.other(), peer_of(socket.socket())});
  std::lock_guard lock{mutex_};
  x.socket = -1;
  inside_[talk.other().id] = cutter{socket.socket()};
  keeper_.enter({std::move(socket), std::move(with)});
}

/// A node that comes again has lost its link, and only this side has not noticed. That link should have ended here before the
/// next one begins, but is not waited for long: what is cut ends.
void door::make_room_for(const std::string& id) {
  for (auto until = in(500ms); std::chrono::steady_clock::now() < until; std::this_thread::sleep_for(5ms)) {
    std::lock_guard lock{mutex_};
    auto known = inside_.find(id);
    if (known == inside_.end())
      return;
    known->second.cut();
  }
}

/// Those who have said what they had to say.
void door::sweep(bool all) {
  std::list<visit> over;
  {
    std::lock_guard lock{mutex_};
    for (auto at = visits_.begin(); at != visits_.end();) {
      auto x = at++;
      if (all || x->over)
        over.splice(over.end(), visits_, x);
    }
  }
  for (auto& x : over)
    x.thread.join();
}

} // namespace segue::cluster
