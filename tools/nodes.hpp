// What makes a server one of several: the door through which others join it, or the link with which it joins another one.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/metrics.hpp"
#include "config/settings.hpp"

#include <memory>

namespace segue {

namespace cluster {
class door;
}

/// A server that others may join. The actor system must have CAF's middleman, for both.
class open_house {
public:
  /// Throws `cannot_start`.
  open_house(const settings& with, caf::actor_system& system, registry_actor registry, metrics& counters);
  ~open_house();

  nodes_actor nodes() const { return nodes_; }

private:
  std::shared_ptr<cluster::door> door_;
  node_actor nodes_;
};

/// A server that joins another one.
class edge_node {
public:
  edge_node(const settings& with, caf::actor_system& system, metrics& counters);
  ~edge_node() { stop(); }

  /// Until the link is made, or for a while. Throws `cannot_start` when the other node refuses it.
  void await_link();
  void stop();

  registry_actor registry() const { return registry_; }
  nodes_actor nodes() const { return nodes_; }

private:
  caf::actor_system& system_;
  dialer_actor dialer_;
  registry_actor registry_;
  nodes_actor nodes_;
};

} // namespace segue
