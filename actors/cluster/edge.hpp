// An edge node: a registry without tenants of its own. Whose request may do what, the node that was joined says; what it opens,
// relays of this node stand for.
#pragma once

#include "actors/cluster/link.hpp"
#include "actors/cluster/relay_directory.hpp"

namespace segue {

/// `registry_actor`, what the link tells it, and its timer.
using edge_impl = registry_actor::extend<replies_to<list_nodes>::with<nodes_listed>, reacts_to<node_joined>, reacts_to<bind_again>>;

class edge_state {
public:
  static inline const char* name = "edge";

  explicit edge_state(edge_impl::pointer self) : self_(self) {}
  ~edge_state();

  void begin(dialer_actor dialer, link_options link, relay_ground ground);

  caf::result<tenant_services> on(const resolve_tenant& x);
  caf::result<tenant_services> on(const find_tenant& x) const;
  caf::result<readiness_checked> on(const check_readiness&);
  caf::result<actor_description> on(const describe_actor&);
  caf::result<nodes_listed> on(const list_nodes& x);
  void on(const node_joined& x);
  void on(const bind_again&);

private:
  /// What stands for a tenant here, as long as this node runs; links come and go.
  struct relays {
    relay_impl<directory_actor> directory;
    relay_impl<manager_actor> manager;
    relay_impl<transfers_actor> transfers;
    tenant_services there; ///< whom they stand for
  };

  tenant_services stand_for(tenant_services there);
  relays& relays_of(const std::string& tenant);
  void bind(relays& to, const tenant_services& there);
  void bind_all();
  void bind_later();
  void gone(const caf::down_msg& x);

  edge_impl::pointer self_;
  relay_ground ground_;
  std::string address_;
  link_actor link_;
  registry_actor registry_; ///< of the node that was joined; null: none is
  std::map<std::string, relays> tenants_;
  passed_on open_;
  bool binding_later_ = false;
};

/// Starts an edge node; its relays and its link end with it.
edge_impl::behavior_type edge(edge_impl::stateful_pointer<edge_state> self, dialer_actor dialer, link_options link, relay_ground ground);

} // namespace segue
