#include "actors/cluster/nodes.hpp"

#include "actors/ids.hpp"
#include "actors/log.hpp"

#include <algorithm>

namespace segue {

void nodes_state::begin(registry_actor registry, nodes_options options, metrics& m) {
  registry_ = std::move(registry);
  options_ = std::move(options);
  metrics_ = &m;
  self_row_ = {new_uuid(), options_.name, "owner", options_.address, node_state::joined, {}, unix_now_ms()};
  self_->set_down_handler([this](const caf::down_msg& x) {
    auto who = std::find_if(peers_.begin(), peers_.end(), [&](const auto& known) { return known.second.link == x.source; });
    if (who != peers_.end())
      left(who, who->second.cut ? "it was cut off, having said nothing for too long" : "its link has ended");
  });
}

nodes_state::~nodes_state() {
  for (auto& [id, x] : peers_) {
    options_.forget(x.visit);
    gone(x.row);
  }
}

/// It does not count any more.
void nodes_state::gone(const node_row& x) {
  if (x.state != node_state::joined)
    return;
  metrics_->peers_joined.Decrement();
  metrics_->peer_is_gone(x.name);
}

// -- coming and going ----------------------------------------------------------------------------------------------------------

void nodes_state::on(const node_entered& x) {
  if (auto before = peers_.find(x.id); before != peers_.end()) {
    if (before->second.link)
      self_->demonitor(before->second.link);
    options_.forget(before->second.visit);
    gone(before->second.row);
  }
  peers_[x.id] = {{x.id, x.name, "edge", x.address, node_state::entering, {}, unix_now_ms()}, {}, self_->clock().now(), x.visit};
  if (!std::exchange(looking_, true))
    self_->delayed_send(self_, options_.silence / 4, look_for_silence{});
}

caf::result<node_joined> nodes_state::on(const join_node& x) {
  auto known = peers_.find(x.id);
  if (known == peers_.end() || known->second.cut || !self_->current_sender())
    return caf::make_error(ec::moved, std::string{"this link is not known any more"});
  auto& peer = known->second;
  if (peer.row.state != node_state::joined) {
    peer.row.state = node_state::joined;
    peer.row.since_ms = unix_now_ms();
    metrics_->peers_joined.Increment();
    log::info("nodes", "joined", peer.row.name + " from " + peer.row.address);
  }
  peer.link = caf::actor_cast<caf::actor_addr>(self_->current_sender());
  peer.last_seen = self_->clock().now();
  self_->monitor(peer.link);
  return node_joined{registry_, options_.name, options_.auth};
}

caf::result<node_pinged> nodes_state::on(const ping_node& x) {
  auto known = peers_.find(x.id);
  if (known == peers_.end() || known->second.cut)
    return caf::make_error(ec::moved, std::string{"this link is not known any more"});
  known->second.last_seen = self_->clock().now();
  auto& row = known->second.row;
  row.round_trip_us = x.round_trip_us;
  row.reconnects = x.reconnects;
  row.relayed_bytes = x.relayed_bytes;
  if (row.state == node_state::joined && x.round_trip_us > 0)
    metrics_->peer_is_away(row.name, std::chrono::microseconds{x.round_trip_us});
  return node_pinged{};
}

void nodes_state::left(peers::iterator who, const std::string& why) {
  const auto& row = who->second.row;
  gone(row);
  log::warning("nodes", "left", row.name + " from " + row.address + ": " + why);
  options_.forget(who->second.visit);
  peers_.erase(who);
}

/// Whoever was silent for too long is cut off, and leaves when its actors here have ended; at the latest a while later. A node whose
/// signs of life wait behind what it sends is not silent.
void nodes_state::on(const look_for_silence&) {
  auto now = self_->clock().now();
  for (auto at = peers_.begin(); at != peers_.end();) {
    auto who = at++;
    auto& peer = who->second;
    auto quiet = now - peer.last_seen;
    bool sends = peer.row.state == node_state::joined && !peer.cut && options_.quiet(peer.visit) < options_.silence;
    if (quiet < options_.silence || sends)
      continue;
    options_.cut(peer.visit);
    peer.cut = true;
    if (peer.row.state != node_state::joined || quiet >= 2 * options_.silence)
      left(who, "it has said nothing for too long");
  }
  looking_ = !peers_.empty();
  if (looking_)
    self_->delayed_send(self_, options_.silence / 4, look_for_silence{});
}

// -- requests ----------------------------------------------------------------------------------------------------------------

nodes_listed nodes_state::on(const list_nodes&) const {
  nodes_listed all{self_row_, {}};
  for (const auto& [id, x] : peers_)
    all.peers.push_back(x.row);
  return all;
}

actor_description nodes_state::on(const describe_actor&) const {
  return {name, std::to_string(peers_.size()) + " nodes", self_->mailbox().size(), 0, {}};
}

nodes_impl::behavior_type nodes(nodes_impl::stateful_pointer<nodes_state> self, registry_actor registry,
    nodes_options options, metrics* m) {
  auto& st = self->state;
  st.begin(std::move(registry), std::move(options), *m);
  return {
      [&st](const join_node& x) { return st.on(x); },
      [&st](const ping_node& x) { return st.on(x); },
      [&st](const list_nodes& x) { return st.on(x); },
      [&st](const describe_actor& x) { return st.on(x); },
      [&st](const node_entered& x) { st.on(x); },
      [&st](const look_for_silence& x) { st.on(x); },
  };
}

} // namespace segue
