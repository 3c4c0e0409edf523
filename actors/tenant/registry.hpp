// The registry: the tenants of this server, and whom their doors open to.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/tenant/credentials.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <map>

namespace segue {

struct registered_tenant {
  tenant_actor tenant;
  std::string jwt_secret; ///< empty: it takes no tokens
};

struct registry_options {
  bool auth = false; ///< false: there is one tenant, and anybody may do anything in it
  std::chrono::milliseconds trust{10'000}; ///< how long a key is believed without asking again: so long a removed one works
};

class registry_state {
public:
  static inline const char* name = "registry";

  explicit registry_state(registry_actor::pointer self) : self_(self) {}
  ~registry_state();

  void begin(std::map<std::string, registered_tenant> tenants, registry_options options);

  caf::result<tenant_services> on(const resolve_tenant& x);
  caf::result<tenant_services> on(const find_tenant& x);
  caf::result<readiness_checked> on(const check_readiness&);
  caf::result<actor_description> on(const describe_actor&);

private:
  using services_promise = caf::typed_response_promise<tenant_services>;

  struct known_key {
    identity who;
    caf::actor_clock::time_point until;
  };

  void check_key(const std::string& tenant, std::string hash, services_promise promise);
  void open(const std::string& tenant, identity who, services_promise promise);

  registry_actor::pointer self_;
  std::map<std::string, registered_tenant> tenants_;
  registry_options options_;
  std::map<std::string, known_key> keys_; ///< by hash
};

/// Starts the registry; its tenants end with it.
registry_actor::behavior_type registry(registry_actor::stateful_pointer<registry_state> self,
    std::map<std::string, registered_tenant> tenants, registry_options options);

} // namespace segue
