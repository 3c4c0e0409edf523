// The nodes that have joined this one: it opens its registry to them, sees that they are there, and lets go of those that are
// not.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/metrics.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <functional>
#include <map>

namespace segue {

struct nodes_options {
  std::string name;    ///< of this node
  std::string address; ///< where it can be joined
  bool auth = false;   ///< the registry asks for credentials
  std::chrono::milliseconds silence{10'000}; ///< a node of which nothing comes for so long is cut off
  std::function<void(uint64_t visit)> cut;    ///< ends a link; no effect when there is none
  std::function<void(uint64_t visit)> forget; ///< likewise; from now on its node may come in again
  std::function<std::chrono::milliseconds(uint64_t visit)> quiet; ///< for how long nothing has come over a link
};

/// `node_actor`, what the door tells it, and its timer.
using nodes_impl = node_actor::extend<reacts_to<node_entered>, reacts_to<look_for_silence>>;

class nodes_state {
public:
  static inline const char* name = "nodes";

  explicit nodes_state(nodes_impl::pointer self) : self_(self) {}
  ~nodes_state();

  void begin(registry_actor registry, nodes_options options, metrics& m);

  void on(const node_entered& x);
  caf::result<node_joined> on(const join_node& x);
  caf::result<node_pinged> on(const ping_node& x);
  nodes_listed on(const list_nodes&) const;
  actor_description on(const describe_actor&) const;
  void on(const look_for_silence&);

private:
  struct peer {
    node_row row;
    caf::actor_addr link; ///< the actor that keeps the link, there
    caf::actor_clock::time_point last_seen;
    uint64_t visit = 0; ///< which link of this node
    bool cut = false;
  };

  using peers = std::map<std::string, peer>;

  void left(peers::iterator who, const std::string& why);
  void gone(const node_row& x);

  nodes_impl::pointer self_;
  registry_actor registry_;
  nodes_options options_;
  metrics* metrics_ = nullptr;
  node_row self_row_;
  peers peers_; ///< by id
  bool looking_ = false;
};

/// Starts to speak for this node. It ends when it is told to.
nodes_impl::behavior_type nodes(nodes_impl::stateful_pointer<nodes_state> self, registry_actor registry,
    nodes_options options, metrics* m);

} // namespace segue
