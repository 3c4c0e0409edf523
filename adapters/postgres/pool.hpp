// A bounded number of connections to one server, each used by one thread at a time and within a time limit.
#pragma once

#include "adapters/breaker.hpp"
#include "adapters/postgres/connection.hpp"
#include "adapters/postgres/values.hpp"
#include "adapters/postgres/watchdog.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace segue::postgres {

/// Whether an answer that was lost leaves open what happened.
enum class effect { none, changes };

struct statement {
  const char* name; ///< of its own in this program
  effect has;
  std::string sql;
};

class pool;

/// One connection while it is ours. Errors come as `adapter_error`: `ec::unknown_outcome` when a statement that changes
/// something was sent and its answer lost, `ec::timeout` or `ec::unavailable` when nothing can have happened.
class session {
public:
  session(pool& from, std::unique_ptr<connection> made, std::chrono::milliseconds limit);
  ~session();
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  /// Runs a statement that is a transaction by itself; once more if another transaction was in its way.
  pqxx::result run(const statement& what, const values& with = {});

  /// Runs `f` as one transaction.
  void together(const std::function<void(pqxx::work&)>& f);

private:
  [[noreturn]] void fail(const std::exception& e, effect lost);

  pool& from_;
  std::unique_ptr<connection> connection_;
  std::chrono::milliseconds limit_;
  std::optional<watchdog::watch> watch_;
  bool spoilt_ = false;
};

class pool {
public:
  /// `where` and `dog` live longer than the pool. Connects when somebody wants to.
  pool(const server& where, watchdog& dog, size_t most) : where_(where), dog_(dog), most_(most) { idle_.reserve(most); }

  /// Waits for a connection to come free: throws `ec::busy` when none does in time, and what `connection` throws.
  session take() { return take(where_.bounds.timeout); }

  /// For a use that may take longer.
  session take(std::chrono::milliseconds limit);

  pqxx::result run(const statement& what, const values& with = {}) { return take().run(what, with); }

  const server& where() const { return where_; }

private:
  friend class session;

  void wait_for_place();
  std::unique_ptr<connection> idle_one();
  std::unique_ptr<connection> new_one();
  void give_back(std::unique_ptr<connection> used, bool good) noexcept;

  const server& where_;
  watchdog& dog_;
  breaker breaker_;
  const size_t most_;
  std::mutex mutex_;
  std::condition_variable freed_;
  size_t taken_ = 0;
  std::vector<std::unique_ptr<connection>> idle_;
};

} // namespace segue::postgres
