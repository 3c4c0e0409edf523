// One server at a time for each set of networked stores.
#pragma once

#include "adapters/ports.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace segue {

/// A store that one server at a time may write to.
struct leased_store {
  std::string name; ///< for people
  std::shared_ptr<owned_store> store;
};

/// Holds leases on stores, and prolongs each on a thread of its own: one that does not answer costs nobody else theirs.
class lease_keeper {
public:
  /// Waits up to `patience` for whoever has one of them, and has them all then. `lost` is called, on another thread, when somebody else
  /// has taken over: nothing that is written from then on counts. Throws `adapter_error`: what the store says, or `ec::fenced` when
  /// another server is alive.
  lease_keeper(std::vector<leased_store> stores, std::string holder, std::chrono::milliseconds how_long,
      std::chrono::milliseconds patience, std::function<void()> lost);
  ~lease_keeper();

private:
  void take(const leased_store& x, std::chrono::milliseconds patience);
  void keep(const leased_store& x);
  void release();

  std::vector<leased_store> stores_;
  std::string holder_;
  std::chrono::milliseconds how_long_;
  std::function<void()> lost_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool done_ = false;
  std::vector<std::thread> threads_; ///< one for each store
};

} // namespace segue
