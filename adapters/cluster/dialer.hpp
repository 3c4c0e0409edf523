// The side of an edge node that dials. Blocking: it runs on a thread of its own.
#pragma once

#include "actors/interfaces.hpp"
#include "adapters/cluster/secrecy.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace segue::cluster {

struct dialer_options {
  std::string host;
  unsigned short port = 0;
  std::string interface; ///< what `interface_digest()` is
  std::string secret;
  std::chrono::milliseconds patience{5'000}; ///< with one attempt
};

class dialer_state {
public:
  static inline const char* name = "dialer";

  explicit dialer_state(dialer_actor::pointer self) : self_(self) {}

  void begin(dialer_options options) { options_ = std::move(options); }

  caf::result<node_dialled> on(const dial_node& x);
  caf::result<link_heard> on(const hear_link&) const;
  void on(const cut_link&) { link_ = {}; }

private:
  encrypted meet(const dial_node& x);

  dialer_actor::pointer self_;
  dialer_options options_;
  cutter link_;
};

/// Starts to dial when told to; detached. It ends when it is told to, and the link with it.
dialer_actor::behavior_type dialer(dialer_actor::stateful_pointer<dialer_state> self, dialer_options options);

} // namespace segue::cluster
