// A tenant: one set of stores, and everything that runs on them.
#pragma once

#include "actors/generation/manager.hpp"
#include "actors/stream/directory.hpp"
#include "actors/supervision.hpp"
#include "actors/transfer/transfers.hpp"

namespace segue {

/// What a tenant is made of; given in by whoever composes the program.
struct tenant_parts {
  std::string name = "default";
  bool serves = true; ///< false: transfers alone, beside a server elsewhere
  std::function<opener_actor(caf::actor_system&)> make_opener; ///< none: the stores are open
  std::function<object_store_actor(caf::actor_system&)> make_object_store;
  std::function<chunk_store_actor(caf::actor_system&, object_store_actor)> make_chunk_store;
  std::function<catalogue_actor(caf::actor_system&)> make_catalogue;
  generator_factory make_generator;
  stream_options streams;
  manager_options generations;
  transfers_options transfers;
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
  enum child : size_t { object_store, chunk_store, catalogue, transfers, directory, manager, reporter, child_count };
  static constexpr const char* child_names[] = {
      "object store host", "chunk store host", "catalogue host", "transfers", "directory", "manager", "transfer reporter"};

  const char* condition() const;
  void await_stores();
  void start(size_t from);
  template <class Handle>
  void keep(child which, const Handle& x);
  void stop(size_t from);
  size_t count() const { return parts_.serves ? child_count : transfers + 1; }
  void stopped(const caf::down_msg& x);

  tenant_actor::pointer self_;
  tenant_parts parts_;
  opener_actor opener_; ///< null: its work is done, and the other children are there
  object_store_actor object_store_;
  chunk_store_actor chunk_store_;
  catalogue_actor catalogue_;
  transfers_actor transfers_;
  directory_actor directory_;
  manager_actor manager_;
  caf::actor children_[child_count]; ///< the same, to be watched
  size_t restarts_[child_count] = {};
  restart_budget budget_;
  bool given_up_ = false; ///< children died too often
};

/// Starts a tenant; sending it an exit message stops it and all below.
tenant_actor::behavior_type tenant(tenant_actor::stateful_pointer<tenant_state> self, tenant_parts parts);

} // namespace segue
