// A cache somewhere on the network, without waiting for it: what is put goes there by a thread of its own.
#pragma once

#include "adapters/ports.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace segue {

/// Beyond the bounds what is put is dropped, as a cache may forget anything; and what is to be forgotten, as no id is used again
/// and the cache drops what is old by itself.
class background_cache final : public chunk_cache {
public:
  explicit background_cache(std::shared_ptr<chunk_cache> engine);
  ~background_cache() override;

  void put(stream_id id, std::span<const chunk> records) override;
  std::vector<chunk> get(stream_id id, position after, uint64_t limit) override { return engine_->get(id, after, limit); }
  void forget(stream_id id) override;
  void probe() override { engine_->probe(); }

private:
  struct task {
    stream_id id = 0;
    std::vector<chunk> records; ///< none: the stream is to be forgotten
    uint64_t bytes = 0;
  };

  void add(task x);
  void run();

  static constexpr uint64_t most_bytes = 16 << 20; ///< waiting
  static constexpr size_t most_puts = 10'000;
  static constexpr size_t most_tasks = 100'000;

  std::shared_ptr<chunk_cache> engine_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<task> waiting_;
  uint64_t bytes_ = 0;
  bool done_ = false;
  std::thread thread_;
};

} // namespace segue
