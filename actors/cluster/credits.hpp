// What may be on its way over a link: the network has no back pressure of its own, and drops a link that is flooded.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace segue {

/// Shared by all that send over one link. A plain class, for any thread.
class credits {
public:
  /// At most so many bytes at a time, but anything may travel alone.
  explicit credits(size_t most_bytes) : most_(most_bytes) {}

  /// Whether so many bytes may go now; then they count, until they are given back.
  bool take(size_t bytes) {
    auto before = taken_.fetch_add(bytes);
    if (before == 0 || before + bytes <= most_)
      return true;
    taken_.fetch_sub(bytes);
    return false;
  }

  /// Likewise; if they may not, `later` is called as soon as somebody has given some back, once, by whoever has. Then it may be
  /// tried again.
  bool take_or_wait(size_t bytes, std::function<void()> later) {
    std::lock_guard lock{mutex_};
    if (take(bytes))
      return true;
    waiting_.push_back(std::move(later));
    return false;
  }

  void give(size_t bytes) {
    taken_.fetch_sub(bytes);
    std::vector<std::function<void()>> woken;
    {
      std::lock_guard lock{mutex_};
      woken.swap(waiting_);
    }
    for (auto& wake : woken)
      wake();
  }

  size_t taken() const { return taken_; }

private:
  size_t most_;
  std::atomic<size_t> taken_ = 0;
  std::mutex mutex_;
  std::vector<std::function<void()>> waiting_; ///< in the order they came
};

/// How much a relay does for a link at a time, and for how long it waits.
struct relay_limits {
  size_t requests = 1'000;           ///< of one relay, under way; beyond it: `ec::busy`
  size_t readers = 10'000;           ///< of one stream that wait on this node; beyond it: `ec::busy`
  size_t appends = 256;              ///< of one stream, under way
  size_t append_bytes = 4 << 20;     ///< of those
  size_t ring_bytes = 512 * 1024;    ///< newest records of each stream that is read here
};

} // namespace segue
