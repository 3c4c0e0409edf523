// A store that does not answer is left alone for a while.
#pragma once

#include "adapters/ports.hpp"

#include <atomic>

namespace segue {

/// After somebody has waited in vain, everybody else is refused at once for a second: a host has few threads, and who waits
/// behind a row of such waits would wait far longer than one store may take. Used by any thread.
class breaker {
public:
  /// Throws `ec::unavailable` while the store is left alone. `store` names it in the error.
  void check(const std::string& store) const {
    if (clock::now().time_since_epoch().count() < until_)
      throw adapter_error{ec::unavailable, store + " did not answer a moment ago; trying again may help"};
  }

  void trip() { until_ = (clock::now() + pause).time_since_epoch().count(); }

private:
  using clock = std::chrono::steady_clock;
  static constexpr auto pause = std::chrono::seconds{1};

  std::atomic<clock::rep> until_{0};
};

} // namespace segue
