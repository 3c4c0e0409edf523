// A tenant: one set of stores, and everything that runs on them.
#pragma once

#include "actors/generation/manager.hpp"
#include "actors/stream/directory.hpp"
#include "actors/supervision.hpp"

namespace segue {

/// What a tenant is made of; given in by whoever composes the program.
struct tenant_parts {
  std::string name = "default";
  std::function<chunk_store_actor(caf::actor_system&)> make_chunk_store;
  std::function<catalogue_actor(caf::actor_system&)> make_catalogue;
  generator_factory make_generator;
  stream_options streams;
  manager_options generations;
  metrics* counters = nullptr;
};

class tenant_state {
public:
  static inline const char* name = "tenant";

  explicit tenant_state(tenant_actor::pointer self) : self_(self) {}
  ~tenant_state();

  void begin(tenant_parts parts);

  caf::result<tenant_services> on(const resolve_tenant&);
  caf::result<readiness_checked> on(const check_readiness&);
  caf::result<actor_description> on(const describe_actor&);

private:
  /// In the order they depend on each other: when one dies, it and all after it are started again.
  enum child : size_t { chunk_store, catalogue, directory, manager, child_count };
  static constexpr const char* child_names[] = {"chunk store host", "catalogue host", "directory", "manager"};

  void start(size_t from);
  void stop(size_t from);
  void stopped(const caf::down_msg& x);

  tenant_actor::pointer self_;
  tenant_parts parts_;
  chunk_store_actor chunk_store_;
  catalogue_actor catalogue_;
  directory_actor directory_;
  manager_actor manager_;
  caf::actor children_[child_count]; ///< the same four, to be watched
  size_t restarts_[child_count] = {};
  restart_budget budget_;
  bool given_up_ = false; ///< children died too often
};

/// Starts a tenant; sending it an exit message stops it and all below.
tenant_actor::behavior_type tenant(tenant_actor::stateful_pointer<tenant_state> self, tenant_parts parts);

} // namespace segue
