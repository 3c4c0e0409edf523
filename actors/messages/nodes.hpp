// What nodes say to each other before they say everything else: who they are, and whether they are still there. Between nodes
// the same messages travel as within one; these alone are about the link itself.
#pragma once

#include "actors/messages/inspect.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace segue {

// -- from an edge node to the one it joins -----------------------------------------------------------------------------------

/// The first word on a link, from the actor that keeps it: as long as that lives, the node is there. Reply: `node_joined`;
/// `ec::moved` when the link is not known, and has to be made anew.
struct join_node {
  std::string id; ///< as shown at the door
};

/// A sign of life, again and again. Reply: `node_pinged`; `ec::moved` as above.
struct ping_node {
  std::string id;
  uint64_t round_trip_us = 0;  ///< of the one before; 0: not known yet
  uint64_t reconnects = 0;     ///< how often this link was made anew
  uint64_t relayed_bytes = 0;  ///< of streams that went over it, in both directions
};

struct node_pinged {};

// -- to operators ------------------------------------------------------------------------------------------------------------

enum class node_state : uint8_t {
  entering, ///< it has shown the secret, and not said yet that it joins
  joined,
  dialling, ///< it is not reached, and tried again and again
  refused,  ///< by the node it wants to join, which says why
};

std::string to_string(node_state x);

/// A node at the other end of a link.
struct node_row {
  std::string id;
  std::string name;    ///< host and process
  std::string role;    ///< owner, edge
  std::string address; ///< where it is, or comes from
  node_state state = node_state::dialling;
  std::string detail;  ///< why it is not joined
  int64_t since_ms = 0; ///< it is in this state
  uint64_t round_trip_us = 0;
  uint64_t reconnects = 0;    ///< of the link, since the edge node was started
  uint64_t relayed_bytes = 0; ///< of streams, in both directions, likewise

  friend bool operator==(const node_row&, const node_row&) = default;
};

/// Reply: `nodes_listed`.
struct list_nodes {};

struct nodes_listed {
  node_row self;
  std::vector<node_row> peers;
};

// -- to what holds the sockets -----------------------------------------------------------------------------------------------

/// Makes the link to the node that is to be joined, and proves on both sides that the secret is known. Reply: `node_dialled`;
/// `ec::unauthenticated` when the secrets differ, `ec::conflict` when the interfaces do, `ec::unavailable`.
struct dial_node {
  std::string id; ///< who dials
  std::string name;
};

/// Cuts the link, if there is one: both sides see it at once.
struct cut_link {
  std::string id;
};

/// How long nothing has come over the link. Reply: `link_heard`; `ec::unavailable` when there is no link.
struct hear_link {};

struct link_heard {
  uint64_t quiet_ms = 0;
};

/// Somebody has shown the secret at the door, and is about to say `join_node`.
struct node_entered {
  std::string id;
  std::string name;
  std::string address;
  uint64_t visit = 0; ///< another one each time a node comes
};

// -- timers an actor sends to itself -----------------------------------------------------------------------------------------

struct dial_again {};
struct ping_again {
  uint64_t attempt = 0; ///< of making a link; what belongs to an earlier one has no effect
};
struct look_for_silence {};
struct bind_again {};

/// A relay may send reads again that had to wait for others.
struct read_on {};

// -- inspection --------------------------------------------------------------------------------------------------------------

SEGUE_INSPECT(join_node, x.id)
SEGUE_INSPECT(ping_node, x.id, x.round_trip_us, x.reconnects, x.relayed_bytes)
SEGUE_INSPECT(node_pinged)
SEGUE_INSPECT(node_row, x.id, x.name, x.role, x.address, x.state, x.detail, x.since_ms, x.round_trip_us, x.reconnects,
    x.relayed_bytes)
SEGUE_INSPECT(list_nodes)
SEGUE_INSPECT(nodes_listed, x.self, x.peers)
SEGUE_INSPECT(dial_node, x.id, x.name)
SEGUE_INSPECT(cut_link, x.id)
SEGUE_INSPECT(hear_link)
SEGUE_INSPECT(link_heard, x.quiet_ms)
SEGUE_INSPECT(node_entered, x.id, x.name, x.address, x.visit)
SEGUE_INSPECT(dial_again)
SEGUE_INSPECT(ping_again, x.attempt)
SEGUE_INSPECT(look_for_silence)
SEGUE_INSPECT(bind_again)
SEGUE_INSPECT(read_on)

} // namespace segue
