// Who owns a store, and the fencing epoch that each of its commits carries.
#pragma once

#include "adapters/redis/connection.hpp"
#include "adapters/redis/keys.hpp"

#include <mutex>
#include <optional>

namespace segue::redis {

/// Has a connection of its own, so that a commit that hangs does not cost the lease. Used by any thread.
class lease {
public:
  lease(server where, key_names keys);

  /// As in `owned_store`.
  std::optional<std::string> take(const std::string& holder, std::chrono::milliseconds how_long);
  void release(const std::string& holder);

  /// Takes it anew: commands with the former epoch, also those that are still on their way, can do nothing any more. Throws
  /// `ec::fenced` when it is not ours.
  void raise_epoch();

  /// With which it is held. Throws `ec::fenced` when it is not ours, as far as we know.
  std::string epoch() const;

private:
  struct held {
    std::string holder;
    std::chrono::milliseconds how_long;
    std::string epoch;
  };

  /// `epoch` is the one it is held with, as far as is known; for `how` see `scripts::take_lease`.
  std::optional<std::string> take(
      const std::string& holder, std::chrono::milliseconds how_long, std::string epoch, std::string how);
  std::optional<held> now() const;
  void remember(std::optional<held> x);

  std::mutex asking_; ///< for the connection, and what follows it
  connection connection_;
  key_names keys_;
  std::string told_; ///< the holder that was told last that it is its own; empty: none
  mutable std::mutex mutex_; ///< for what follows
  std::optional<held> held_;
};

} // namespace segue::redis
