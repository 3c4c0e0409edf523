// Hands a socket, at whose ends two nodes have met, over to CAF's network protocol (BASP).
#pragma once

#include "actors/interfaces.hpp"
#include "adapters/cluster/secrecy.hpp"

#include <caf/io/fwd.hpp>

namespace segue::cluster {

/// CAF's own actor for it. The system must have the module `caf::io::middleman`.
caf::actor basp_of(caf::actor_system& system);

/// The socket as CAF wants it.
caf::io::scribe_ptr scribe_of(caf::actor_system& system, encrypted x);

/// For the side that was dialled: who is at the other end gets to know `whom`.
void enter_basp(caf::actor_system& system, encrypted x, unsigned short port, const node_actor& whom);

} // namespace segue::cluster
