#include "adapters/postgres/watchdog.hpp"

#include <algorithm>

#include <sys/socket.h>

namespace segue::postgres {

watchdog::watchdog() : thread_([this] { run(); }) {}

watchdog::~watchdog() {
  {
    std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void watchdog::run() {
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    auto next = next_deadline();
    if (next == clock::time_point::max())
      changed_.wait(lock);
    else
      changed_.wait_until(lock, next);
    for (auto& x : all_)
      if (!x.cut && x.deadline <= clock::now()) {
        x.cut = true;
        ::shutdown(x.socket, SHUT_RDWR);
      }
  }
}

watchdog::clock::time_point watchdog::next_deadline() const {
  auto next = clock::time_point::max();
  for (const auto& x : all_)
    if (!x.cut)
      next = std::min(next, x.deadline);
  return next;
}

watchdog::watch::watch(watchdog& dog, int socket, clock::time_point deadline) : dog_(dog) {
  std::lock_guard lock{dog_.mutex_};
  bool earliest = deadline < dog_.next_deadline();
  entry_ = dog_.all_.insert(dog_.all_.end(), {socket, deadline});
  if (earliest) // else the thread wakes up in time anyway
    dog_.changed_.notify_one();
}

watchdog::watch::~watch() {
  std::lock_guard lock{dog_.mutex_};
  dog_.all_.erase(entry_);
}

bool watchdog::watch::cut() const {
  std::lock_guard lock{dog_.mutex_};
  return entry_->cut;
}

} // namespace segue::postgres
