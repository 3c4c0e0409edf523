// A few connections for many threads.
#pragma once

#include "adapters/breaker.hpp"
#include "adapters/redis/connection.hpp"

#include <condition_variable>
#include <mutex>

namespace segue::redis {

/// Used by any thread. Nobody waits for one longer than the server may take.
class connection_pool {
public:
  connection_pool(server where, size_t size);

  /// Runs `use` with a connection that is connected, and returns what it returns. Throws `ec::timeout` when all stay taken,
  /// `ec::unavailable` right after somebody has waited in vain.
  template <class Use>
  auto with(Use use) {
    breaker_.check(where_.name());
    try {
      loan one{*this};
      one.held->ensure();
      return use(*one.held);
    } catch (const adapter_error& e) {
      if (e.code() == ec::timeout)
        breaker_.trip();
      throw;
    }
  }

private:
  std::unique_ptr<connection> take();
  void give_back(std::unique_ptr<connection> one);

  struct loan {
    explicit loan(connection_pool& from) : pool(from), held(from.take()) {}
    loan(const loan&) = delete;
    loan& operator=(const loan&) = delete;
    ~loan() { pool.give_back(std::move(held)); }

    connection_pool& pool;
    std::unique_ptr<connection> held;
  };

  server where_;
  breaker breaker_;
  size_t size_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<connection>> idle_;
};

} // namespace segue::redis
