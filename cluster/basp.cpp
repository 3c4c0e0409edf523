#include "cluster/basp.hpp"

#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/send.hpp>

namespace segue::cluster {

caf::actor basp_of(caf::actor_system& system) { return system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP")); }

caf::io::scribe_ptr scribe_of(caf::actor_system& system, int socket) { return system.middleman().backend().new_scribe(socket); }

void enter_basp(caf::actor_system& system, int socket, unsigned short port, const node_actor& whom) {
  caf::anon_send(basp_of(system), caf::publish_atom_v, scribe_of(system, socket), port, caf::actor_cast<caf::strong_actor_ptr>(whom),
      system.message_types(whom));
}

} // namespace segue::cluster
