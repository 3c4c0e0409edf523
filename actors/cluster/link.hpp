// The link of an edge node to the node it joins: dialled from here, looked after from here, and made anew as long as it takes.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/metrics.hpp"
#include "actors/transfer/retry_policy.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <chrono>

namespace segue {

struct link_options {
  std::string address; ///< of the node to join, for people
  std::string name;    ///< of this node
  bool auth = false;   ///< this node serves only who shows a credential, and so joins only who looks at it
  std::chrono::milliseconds silence{10'000}; ///< a node that answers nothing for so long is not reached any more
  std::chrono::milliseconds first_pause{100};   ///< before a link is made anew, doubled by each failure …
  std::chrono::milliseconds longest_pause{5'000}; ///< … up to here, and each with jitter
};

/// Who is told that the node is reached: the node, and then what it said.
using link_listener = caf::typed_actor<reacts_to<node_joined>>;

/// `link_actor` and the timers it sends to itself.
using link_impl = link_actor::extend<reacts_to<dial_again>, reacts_to<ping_again>>;

class link_state {
public:
  static inline const char* name = "link";

  explicit link_state(link_impl::pointer self) : self_(self) {}
  ~link_state();

  void begin(dialer_actor dialer, link_listener listener, link_options options, metrics& m);

  nodes_listed on(const list_nodes&) const;
  actor_description on(const describe_actor&) const;
  void on(const dial_again&);
  void on(const ping_again&);

private:
  void dial();
  void meet(node_actor there);
  void joined(node_joined x);
  void ping();
  void unanswered();
  void lost(const caf::error& why);
  void become(node_state now, std::string detail);

  link_impl::pointer self_;
  dialer_actor dialer_;
  link_listener listener_;
  link_options options_;
  metrics* metrics_ = nullptr;
  retry_policy pauses_;
  uint32_t failures_ = 0; ///< in a row
  uint64_t attempt_ = 0;  ///< of making a link; what belongs to an earlier one does not count
  node_actor there_;      ///< null: not reached
  node_row self_row_;
  node_row there_row_;
};

/// Starts to keep the link. It ends when it is told to, and the link with it.
link_impl::behavior_type link(link_impl::stateful_pointer<link_state> self, dialer_actor dialer, link_listener listener,
    link_options options, metrics* m);

} // namespace segue
