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

void door::cut(uint64_t visit) {
  std::lock_guard lock{mutex_};
  if (auto known = inside_.find(visit); known != inside_.end())
    known->second.with.cut();
}

void door::forget(uint64_t visit) {
  std::lock_guard lock{mutex_};
  inside_.erase(visit);
}

std::chrono::milliseconds door::quiet(uint64_t visit) {
  std::lock_guard lock{mutex_};
  auto known = inside_.find(visit);
  return known == inside_.end() ? std::chrono::milliseconds::max() : known->second.with.quiet();
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
    try {
      admit(wire{socket});
    } catch (const std::exception& why) { // no thread, no memory: whoever comes later may have better luck
      keeper_.refused("somebody", why.what());
    }
  }
}

void door::admit(wire guest) {
  auto address = peer_of(guest.socket());
  auto host = address.substr(0, address.rfind(':'));
  std::lock_guard lock{mutex_};
  if (visits_.size() >= options_.at_a_time && !make_room_for_guest_of(host))
    return keeper_.refused(address, "too many say hello at a time");
  auto& x = visits_.emplace_back();
  x.socket = guest.socket();
  x.host = host;
  try {
    x.thread = std::thread{[this, &x, guest = std::move(guest)]() mutable { receive(x, std::move(guest)); }};
  } catch (...) {
    visits_.pop_back();
    throw;
  }
}

/// Hangs up on who has been there for longest without having proved anything, rather on one from the same host: who only comes, and
/// says nothing, displaces itself and keeps nobody out. Those who are hung up on end soon, and until then count twice at the most.
bool door::make_room_for_guest_of(const std::string& host) {
  visit* oldest = nullptr;
  for (auto& x : visits_)
    if (!x.known && !x.displaced && x.socket >= 0 && (!oldest || (oldest->host != host && x.host == host)))
      oldest = &x;
  if (!oldest || visits_.size() >= 2 * options_.at_a_time)
    return false;
  oldest->displaced = true;
  ::shutdown(oldest->socket, SHUT_RDWR);
  return true;
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
  } catch (const std::exception& why) { // nothing that one guest does may end the others
    auto displaced = [&] {
      std::lock_guard lock{mutex_};
      return x.displaced;
    }();
    keeper_.refused(address, displaced ? "too many say hello at a time" : why.what());
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
  {
    std::lock_guard lock{mutex_};
    x.known = true;
  }
  make_room_for(talk.other().id);
  socket.write_line(welcome, until);
  auto with = std::make_unique<secrecy>(socket, secrecy::side::host, talk.key(), until + 500ms);
  auto visit = [this] {
    std::lock_guard lock{mutex_};
    return ++last_visit_;
  }();
  keeper_.announce({talk.other(), peer_of(socket.socket()), visit});
  std::lock_guard lock{mutex_};
  x.socket = -1;
  inside_[visit] = {talk.other().id, cutter{socket.socket()}};
  keeper_.enter({std::move(socket), std::move(with)});
}

/// A node that comes again has lost its link, and only this side has not noticed. That link should have ended here before the
/// next one begins, but is not waited for long: what is cut ends.
void door::make_room_for(const std::string& id) {
  for (auto until = in(500ms); std::chrono::steady_clock::now() < until; std::this_thread::sleep_for(5ms)) {
    std::lock_guard lock{mutex_};
    bool there = false;
    for (auto& [visit, x] : inside_)
      if (x.id == id) {
        x.with.cut();
        there = true;
      }
    if (!there)
      return;
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
