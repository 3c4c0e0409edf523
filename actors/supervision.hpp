// How often a parent starts a child again.
#pragma once

#include <chrono>
#include <deque>

namespace segue {

/// At most `most` restarts within `window`; beyond it something is broken that starting again does not mend.
class restart_budget {
public:
  using clock = std::chrono::steady_clock;

  explicit restart_budget(size_t most = 5, clock::duration window = std::chrono::seconds{10})
      : most_(most), window_(window) {}

  /// Whether one more restart at `now` is allowed; an allowed one is counted.
  bool allow(clock::time_point now);

  /// All restarts that were allowed.
  size_t total() const { return total_; }

private:
  size_t most_;
  clock::duration window_;
  std::deque<clock::time_point> recent_;
  size_t total_ = 0;
};

} // namespace segue
