// One server at a time for each set of networked stores.
#pragma once

#include "tools/engines.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace segue {

/// Holds the leases of all stores, and prolongs each on a thread of its own: one that does not answer costs nobody else theirs.
class lease_keeper {
public:
  /// Waits until a server that has ended without a word has lost its lease. Throws `cannot_start` when another one is alive.
  /// `lost` is called, on another thread, when somebody else has taken over: nothing that is written from then on counts.
  lease_keeper(const std::vector<tenant_engines>& of, std::chrono::milliseconds how_long, std::function<void()> lost);
  ~lease_keeper();

private:
  struct held {
    std::string name; ///< for people
    std::string holder;
    std::shared_ptr<owned_store> store;
  };

  void take(const held& x);
  void keep(const held& x);
  void release();

  std::vector<held> stores_;
  std::chrono::milliseconds how_long_;
  std::function<void()> lost_;
  std::string holder_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool done_ = false;
  std::vector<std::thread> threads_; ///< one for each networked store
};

} // namespace segue
