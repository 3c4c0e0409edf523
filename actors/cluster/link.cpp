#include "actors/cluster/link.hpp"

#include "actors/ids.hpp"
#include "actors/log.hpp"

#include <functional>

namespace segue {

namespace {

constexpr auto dialling_patience = std::chrono::seconds{20}; ///< with the dialer, which has limits of its own
constexpr int pings = 20; ///< in the time after which silence is a failure

} // namespace

void link_state::begin(dialer_actor dialer, link_listener listener, link_options options, metrics& m) {
  dialer_ = std::move(dialer);
  listener_ = std::move(listener);
  options_ = std::move(options);
  metrics_ = &m;
  self_row_ = {new_uuid(), options_.name, "edge", {}, node_state::joined, {}, unix_now_ms()};
  there_row_ = {{}, {}, "owner", options_.address, node_state::dialling, "not tried yet", unix_now_ms()};
  pauses_ = retry_policy{{UINT32_MAX, options_.first_pause, options_.longest_pause}, std::hash<std::string>{}(self_row_.id)};
  self_->set_down_handler([this](const caf::down_msg& x) {
    if (there_ && x.source == there_.address())
      lost(caf::make_error(ec::unavailable, std::string{"the link has ended"}));
  });
  dial();
}

link_state::~link_state() {
  if (metrics_ && there_row_.state == node_state::joined)
    metrics_->peers_joined.Decrement();
  if (dialer_)
    self_->send(dialer_, cut_link{self_row_.id});
}

// -- making it ---------------------------------------------------------------------------------------------------------------

void link_state::dial() {
  auto attempt = ++attempt_;
  self_->request(dialer_, dialling_patience, dial_node{self_row_.id, options_.name})
      .then(
          [this, attempt](node_dialled& x) {
            if (attempt == attempt_)
              meet(std::move(x.node));
          },
          [this, attempt](const caf::error& why) {
            if (attempt == attempt_)
              lost(why);
          });
}

void link_state::meet(node_actor there) {
  there_ = std::move(there);
  self_->monitor(there_);
  self_->request(there_, options_.silence, join_node{self_row_.id})
      .then(
          [this, attempt = attempt_](node_joined& x) {
            if (attempt == attempt_)
              joined(std::move(x));
          },
          [this, attempt = attempt_](const caf::error& why) {
            if (attempt == attempt_)
              lost(why);
          });
}

void link_state::joined(node_joined x) {
  if (options_.auth && !x.auth) // whoever asked here would be an admin there
    return lost(caf::make_error(ec::conflict,
        std::string{"this node has --auth and the node it joins has not: whoever asks could do anything; give --auth to both"}));
  failures_ = 0;
  there_row_.name = x.name;
  become(node_state::joined, {});
  metrics_->peers_joined.Increment();
  log::info("link", "joined", options_.address + ", which is " + x.name);
  self_->send(listener_, std::move(x));
  ping();
}

// -- looking after it --------------------------------------------------------------------------------------------------------

void link_state::ping() {
  auto sent = self_->clock().now();
  there_row_.relayed_bytes = static_cast<uint64_t>(metrics_->relayed_read.Value() + metrics_->relayed_append.Value());
  self_->request(there_, options_.silence,
          ping_node{self_row_.id, there_row_.round_trip_us, there_row_.reconnects, there_row_.relayed_bytes})
      .then(
          [this, attempt = attempt_, sent](const node_pinged&) {
            if (attempt != attempt_)
              return;
            auto took = self_->clock().now() - sent;
            there_row_.round_trip_us = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
            metrics_->peer_is_away(there_row_.name, took);
            self_->delayed_send(self_, options_.silence / pings, ping_again{attempt});
          },
          [this, attempt = attempt_](const caf::error& why) {
            if (attempt == attempt_ && code_of(why) == ec::timeout)
              unanswered();
            else if (attempt == attempt_)
              lost(why);
          });
}

/// The answer may only wait behind much else: as long as something comes over the link, the other node is there.
void link_state::unanswered() {
  auto silent = [this, attempt = attempt_] {
    if (attempt == attempt_)
      lost(caf::make_error(ec::timeout, std::string{"it has answered nothing for too long"}));
  };
  self_->request(dialer_, dialling_patience, hear_link{})
      .then(
          [this, attempt = attempt_, silent](const link_heard& x) {
            if (std::chrono::milliseconds{x.quiet_ms} >= options_.silence)
              silent();
            else if (attempt == attempt_)
              ping();
          },
          [silent](const caf::error&) { silent(); });
}

void link_state::on(const ping_again& x) {
  if (x.attempt == attempt_ && there_)
    ping();
}

/// Whatever is left of the link is cut, so that nobody waits for what went into it, and it is made anew after a pause.
void link_state::lost(const caf::error& why) {
  ++attempt_;
  bool was_joined = there_row_.state == node_state::joined;
  if (there_)
    self_->demonitor(there_.address());
  there_ = nullptr;
  self_->send(dialer_, cut_link{self_row_.id});
  auto code = code_of(why);
  auto told = detail_of(why).empty() ? to_string(code) : detail_of(why);
  auto now = code == ec::unauthenticated || code == ec::conflict ? node_state::refused : node_state::dialling;
  if (was_joined) {
    metrics_->peers_joined.Decrement();
    metrics_->peer_is_gone(there_row_.name);
    metrics_->link_reconnects.Increment();
    ++there_row_.reconnects;
    log::warning("link", "lost", options_.address + ": " + told);
  } else if (there_row_.state != now || there_row_.detail != told) {
    log::warning("link", now == node_state::refused ? "refused" : "not_reached", options_.address + ": " + told);
  }
  become(now, told);
  auto pause = pauses_.failed(++failures_).value_or(options_.longest_pause);
  self_->delayed_send(self_, pause, dial_again{});
}

void link_state::on(const dial_again&) { dial(); }

void link_state::become(node_state now, std::string detail) {
  if (there_row_.state != now)
    there_row_.since_ms = unix_now_ms();
  there_row_.state = now;
  there_row_.detail = std::move(detail);
}

// -- the rest ----------------------------------------------------------------------------------------------------------------

nodes_listed link_state::on(const list_nodes&) const { return {self_row_, {there_row_}}; }

actor_description link_state::on(const describe_actor&) const {
  auto state = to_string(there_row_.state) + (there_row_.detail.empty() ? "" : ": " + there_row_.detail);
  return {"link to " + options_.address, state, self_->mailbox().size(), there_row_.reconnects, {}};
}

link_impl::behavior_type link(link_impl::stateful_pointer<link_state> self, dialer_actor dialer, link_listener listener,
    link_options options, metrics* m) {
  auto& st = self->state;
  st.begin(std::move(dialer), std::move(listener), std::move(options), *m);
  return {
      [&st](const list_nodes& x) { return st.on(x); },
      [&st](const describe_actor& x) { return st.on(x); },
      [&st](const dial_again& x) { st.on(x); },
      [&st](const ping_again& x) { st.on(x); },
  };
}

} // namespace segue
