#include "tools/leases.hpp"

#include "actors/log.hpp"

namespace segue {

lease_keeper::lease_keeper(std::vector<leased_store> stores, std::string holder, std::chrono::milliseconds how_long,
    std::chrono::milliseconds patience, std::function<void()> lost)
    : stores_(std::move(stores)), holder_(std::move(holder)), how_long_(how_long), lost_(std::move(lost)) {
  try {
    for (const auto& x : stores_)
      take(x, patience);
  } catch (...) {
    release();
    throw;
  }
  for (const auto& x : stores_)
    threads_.emplace_back([this, &x] { keep(x); });
}

lease_keeper::~lease_keeper() {
  {
    std::lock_guard lock{mutex_};
    done_ = true;
  }
  ended_.notify_all();
  for (auto& x : threads_)
    x.join();
  release();
}

/// Also where nothing is held, which is no error.
void lease_keeper::release() {
  for (const auto& x : stores_) {
    try {
      x.store->release_lease(holder_);
    } catch (const std::exception& e) {
      log::warning("server", "lease_not_released", x.name + ": " + e.what() + "; it ends by itself");
    }
  }
}

void lease_keeper::take(const leased_store& x, std::chrono::milliseconds patience) {
  auto until = std::chrono::steady_clock::now() + patience;
  bool told = false;
  while (auto other = x.store->take_lease(holder_, how_long_)) {
    if (std::chrono::steady_clock::now() >= until)
      throw adapter_error{ec::fenced, x.name + " is in use by another server (" + *other + "); stop that one, or use other stores"};
    if (!std::exchange(told, true))
      log::info("server", "waiting_for_lease", x.name + " was last used by " + *other);
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
}

/// Somebody else who has it, or has had it meanwhile: what this server did since then may be undone, or done twice.
void lease_keeper::keep(const leased_store& x) {
  std::unique_lock lock{mutex_};
  while (!ended_.wait_for(lock, how_long_ / 3, [this] { return done_; })) {
    lock.unlock();
    try {
      if (auto other = x.store->take_lease(holder_, how_long_)) {
        log::error("server", "lease_lost", x.name + " is in use by another server (" + *other + "): this one ends");
        lost_();
        return;
      }
    } catch (const std::exception& e) {
      log::warning("server", "lease_not_prolonged", x.name + ": " + e.what());
    }
    lock.lock();
  }
}

} // namespace segue
