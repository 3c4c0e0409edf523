// A few connections for many threads.
#pragma once

#include "adapters/breaker.hpp"
#include "adapters/lender.hpp"
#include "adapters/redis/connection.hpp"

namespace segue::redis {

/// Used by any thread. Nobody waits for one longer than the server may take.
class connection_pool {
public:
  connection_pool(server where, size_t size) : where_(std::move(where)) {
    for (size_t i = 0; i < std::max<size_t>(size, 1); ++i)
      idle_.add(std::make_unique<connection>(where_));
  }

  /// Runs `use` with a connection that is connected, and returns what it returns. Throws `ec::timeout` when all stay taken,
  /// `ec::unavailable` right after somebody has waited in vain.
  template <class Use>
  auto with(Use use) {
    breaker_.check(where_.name());
    try {
      auto one = idle_.take(where_.timeout, [this] { return adapter_error{ec::timeout, where_.name() + ": all connections are taken"}; });
      one->ensure();
      return use(*one);
    } catch (const adapter_error& e) {
      if (e.code() == ec::timeout)
        breaker_.trip();
      throw;
    }
  }

private:
  server where_;
  breaker breaker_;
  lender<connection> idle_;
};

} // namespace segue::redis
