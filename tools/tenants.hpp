// The tenants of a process that runs: what each stands on, opened when it begins or as soon as it can be reached.
#pragma once

#include "adapters/owner_lock.hpp"
#include "tools/engines.hpp"
#include "tools/leases.hpp"

#include <deque>
#include <optional>

namespace segue {

/// How a process that serves holds networked stores.
struct lease_terms {
  std::chrono::milliseconds how_long{0};
  std::function<void()> lost; ///< called, on another thread, when somebody else has taken one over
};

/// The engines of one tenant, and the leases on them. Outlives the actors of the tenant.
class tenant_ground {
public:
  /// Without terms no leases are taken.
  tenant_ground(tenant_engines engines, std::string prefix, std::optional<lease_terms> terms);

  /// Opens what is not open yet and takes the leases, waiting up to `patience` for whoever has them. Blocks; throws what the
  /// stores throw, and can be called again then.
  void open(std::chrono::milliseconds patience);

  /// Of a tenant that opens its stores by itself when that has not been done.
  tenant_parts parts(metrics& counters);

  const tenant_engines& engines() const { return engines_; }
  const std::string& prefix() const { return prefix_; }

private:
  std::optional<owner_lock> lock_; ///< of an embedded catalogue, which may lie anywhere; given back when the stores are closed
  tenant_engines engines_;
  std::string prefix_; ///< of messages for people
  std::optional<lease_terms> terms_;
  std::optional<lease_keeper> leases_; ///< released before the stores are closed
  bool open_ = false;
};

/// Opens the stores of all tenants before any actor runs, so that what is wrong with them is said at once. One whose stores are away does
/// not keep the others waiting: it follows. Throws `cannot_start`: something is wrong that does not pass by itself, or no tenant's
/// stores are there.
std::deque<tenant_ground> open_tenants(const settings& with, const std::filesystem::path& data, bool owner, std::optional<lease_terms> terms);

} // namespace segue
