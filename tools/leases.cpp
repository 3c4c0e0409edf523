#include "tools/leases.hpp"

#include "actors/log.hpp"
#include "adapters/store_url.hpp"

namespace segue {

lease_keeper::lease_keeper(
    const std::vector<tenant_engines>& of, std::chrono::milliseconds how_long, std::function<void()> lost)
    : how_long_(how_long), lost_(std::move(lost)), holder_(name_of_process()) {
  for (const auto& x : of) {
    auto whose = of.size() > 1 ? "tenant " + x.name + ": " : std::string{};
    auto holder = holder_ + "/" + x.name; // two tenants in one store would be in each other's way
    if (is_networked(x.with->chunk_store)) // else it is locked with the data folder
      stores_.push_back({whose + "the chunk store " + redacted(x.with->chunk_store), holder, x.chunks});
    if (is_networked(x.with->catalogue))
      stores_.push_back({whose + "the catalogue " + redacted(x.with->catalogue), holder, x.catalogue});
  }
  try {
    for (const auto& x : stores_)
      take(x);
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
      x.store->release_lease(x.holder);
    } catch (const std::exception& e) {
      log::warning("server", "lease_not_released", x.name + ": " + e.what() + "; it ends by itself");
    }
  }
}

/// Whoever prolongs a lease does so three times while it lasts: after half of it again, it is somebody who is alive.
void lease_keeper::take(const held& x) {
  auto deadline = std::chrono::steady_clock::now() + how_long_ + how_long_ / 2;
  bool told = false;
  for (;;) {
    std::optional<std::string> other;
    try {
      other = x.store->take_lease(x.holder, how_long_);
    } catch (const std::exception& e) {
      throw cannot_start{x.name + ": " + e.what()};
    }
    if (!other)
      return;
    if (std::chrono::steady_clock::now() > deadline)
      throw cannot_start{x.name + " is in use by another server (" + *other + "); stop that one, or use other stores"};
    if (!std::exchange(told, true))
      log::info("server", "waiting_for_lease", x.name + " was last used by " + *other);
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
}

/// Somebody else who has it, or has had it meanwhile: what this server did since then may be undone, or done twice.
void lease_keeper::keep(const held& x) {
  std::unique_lock lock{mutex_};
  while (!ended_.wait_for(lock, how_long_ / 3, [this] { return done_; })) {
    lock.unlock();
    try {
      if (auto other = x.store->take_lease(x.holder, how_long_)) {
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
