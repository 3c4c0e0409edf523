// Who may write generations: a lease in the database, on the server's clock.
#pragma once

#include "adapters/postgres/pool.hpp"

#include <mutex>

namespace segue::postgres {

class ownership {
public:
  /// `reserved` is for the lease alone, so that it is prolonged also when all other connections hang.
  ownership(pool& connections, pool& reserved);

  std::optional<std::string> take(const std::string& holder, std::chrono::milliseconds how_long);
  void release();

  /// Calls `write(epoch)`, which makes a change that only the owner of this epoch may make, and returns its result. For
  /// one thread at a time. Throws `ec::fenced` when we are not the owner.
  template <class Write>
  auto as_owner(Write write) {
    settle();
    auto epoch = epoch_now();
    try {
      return write(epoch);
    } catch (const adapter_error& e) {
      if (e.code() == ec::unknown_outcome)
        doubt();
      throw;
    }
  }

  /// After a change of unknown outcome: makes sure that it has either happened or never will. The server may still hold
  /// it, and carry it out after others that we sent later; so the epoch is raised, which it must have had.
  void settle();

  /// What the database answered is no longer ours.
  [[noreturn]] void fenced(uint64_t epoch);

private:
  std::optional<std::string> prolong(session& now, const values& wish);
  bool begin_settling();
  void end_settling(bool in_doubt);
  uint64_t epoch_now();
  void doubt();
  void risen_to(uint64_t epoch);

  pool& connections_;
  pool& reserved_;
  const std::string taker_; ///< names this object: two may have the same holder's name, one after the other
  std::mutex mutex_;
  uint64_t epoch_ = 0; ///< 0: not the owner
  bool asked_ = false; ///< for the lease, which may be ours though the answer was lost
  bool ours_ = false;  ///< the lease, as `take` has said last
  bool in_doubt_ = false;
  bool settling_ = false; ///< somebody does
  std::condition_variable settled_;
};

} // namespace segue::postgres
