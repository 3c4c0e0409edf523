#include "actors/cluster/edge.hpp"

#include "actors/description.hpp"

namespace segue {

namespace {

constexpr auto patience = std::chrono::seconds{10};
constexpr auto bind_pause = std::chrono::milliseconds{200}; ///< what died at the owner is started again meanwhile

std::string milliseconds(uint64_t us) { return std::to_string(us / 1000) + "." + std::to_string(us / 100 % 10) + " ms"; }

} // namespace

void edge_state::begin(dialer_actor dialer, link_options options, relay_ground ground) {
  ground_ = std::move(ground);
  address_ = options.address;
  self_->set_down_handler([this](const caf::down_msg& x) { gone(x); });
  link_ = self_->spawn(segue::link, std::move(dialer), link_listener{self_}, std::move(options), ground_.counters);
}

edge_state::~edge_state() {
  open_.give_up(link_is_down());
  for (auto& [tenant, x] : tenants_) {
    self_->send_exit(x.directory, caf::exit_reason::user_shutdown);
    self_->send_exit(x.manager, caf::exit_reason::user_shutdown);
    self_->send_exit(x.transfers, caf::exit_reason::user_shutdown);
  }
  if (link_)
    self_->send_exit(link_, caf::exit_reason::user_shutdown);
}

// -- the link ----------------------------------------------------------------------------------------------------------------

void edge_state::on(const node_joined& x) {
  if (registry_)
    self_->demonitor(registry_.address());
  registry_ = x.registry;
  self_->monitor(registry_);
  bind_all();
}

/// The link has ended, or something at its other end has, and will be there again.
void edge_state::gone(const caf::down_msg& x) {
  if (registry_ && x.source == registry_.address()) {
    registry_ = nullptr;
    open_.give_up(link_is_down());
  }
  for (auto& [tenant, known] : tenants_) { // the same actor comes back under the same address
    auto forget = [&x](auto& handle) {
      if (handle && handle.address() == x.source)
        handle = nullptr;
    };
    forget(known.there.directory);
    forget(known.there.manager);
    forget(known.there.transfers);
  }
  bind_later();
}

void edge_state::bind_later() {
  if (!registry_ || std::exchange(binding_later_, true))
    return;
  self_->delayed_send(self_, bind_pause, bind_again{});
}

void edge_state::on(const bind_again&) {
  binding_later_ = false;
  bind_all();
}

/// Asks who the relays stand for now.
void edge_state::bind_all() {
  if (!registry_)
    return;
  for (auto& [tenant, x] : tenants_)
    self_->request(registry_, patience, find_tenant{tenant})
        .then([this, &x = x](const tenant_services& there) { bind(x, there); },
            [this](const caf::error& why) {
              if (code_of(why) != ec::not_found) // a tenant that was removed there stays away as long as that node runs
                bind_later();
            });
}

void edge_state::bind(relays& to, const tenant_services& there) {
  auto watch = [this](auto& known, const auto& now) {
    if (known == now)
      return false;
    if (known)
      self_->demonitor(known.address());
    known = now;
    if (known)
      self_->monitor(known);
    return true;
  };
  bool changed = watch(to.there.directory, there.directory);
  changed = watch(to.there.manager, there.manager) || changed;
  changed = watch(to.there.transfers, there.transfers) || changed;
  if (!changed)
    return;
  self_->send(to.directory, there);
  self_->send(to.manager, there);
  self_->send(to.transfers, there);
}

// -- the door ----------------------------------------------------------------------------------------------------------------

caf::result<tenant_services> edge_state::on(const resolve_tenant& x) {
  if (!registry_)
    return link_is_down();
  if (open_.size() >= ground_.limits.requests) {
    ground_.counters->relay_refused.Increment();
    return caf::make_error(ec::busy, std::string{"too many requests wait for the node that was joined"});
  }
  auto promise = self_->make_response_promise<caf::typed_response_promise<tenant_services>>();
  auto number = open_.add([promise](const caf::error& why) mutable { promise.deliver(why); });
  self_->request(registry_, patience, x)
      .then(
          [this, number, promise](tenant_services& there) mutable {
            if (open_.remove(number))
              promise.deliver(stand_for(std::move(there)));
          },
          [this, number, promise](caf::error& why) mutable {
            if (open_.remove(number))
              promise.deliver(std::move(why));
          });
  return promise;
}

/// What stands for it here never changes.
caf::result<tenant_services> edge_state::on(const find_tenant& x) const {
  auto known = tenants_.find(x.name);
  if (known == tenants_.end())
    return caf::make_error(ec::not_found, "nobody has asked for the tenant " + x.name);
  const auto& here = known->second;
  return tenant_services{here.directory, here.manager, here.transfers, {}, x.name, {}, role::admin};
}

tenant_services edge_state::stand_for(tenant_services there) {
  auto& here = relays_of(there.tenant);
  bind(here, there);
  there.directory = here.directory;
  there.manager = here.manager;
  there.transfers = here.transfers;
  there.catalogue = nullptr; // keys are looked up where they are
  return there;
}

edge_state::relays& edge_state::relays_of(const std::string& tenant) {
  auto [at, fresh] = tenants_.try_emplace(tenant);
  auto& x = at->second;
  if (fresh) {
    x.directory = self_->spawn(relay_directory, tenant, ground_);
    x.manager = self_->spawn(relay<manager_actor>, ground_, &tenant_services::manager);
    x.transfers = self_->spawn(relay<transfers_actor>, ground_, &tenant_services::transfers);
  }
  return x;
}

// -- the rest ----------------------------------------------------------------------------------------------------------------

/// Ready is who has joined: without that node there is nothing here.
caf::result<readiness_checked> edge_state::on(const check_readiness&) {
  auto promise = self_->make_response_promise<caf::typed_response_promise<readiness_checked>>();
  self_->request(link_, patience, list_nodes{})
      .then(
          [promise](const nodes_listed& x) mutable {
            const auto& there = x.peers.front();
            bool joined = there.state == node_state::joined;
            auto how = joined ? "round trip " + milliseconds(there.round_trip_us) : there.detail;
            promise.deliver(readiness_checked{joined, {"node " + there.address + ": " + to_string(there.state) + ", " + how}});
          },
          [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

caf::result<nodes_listed> edge_state::on(const list_nodes& x) { return self_->delegate(link_, x); }

caf::result<actor_description> edge_state::on(const describe_actor&) {
  auto promise = self_->make_response_promise<caf::typed_response_promise<actor_description>>();
  std::vector<described_child> children{{caf::actor_cast<described_actor>(link_), {"link to " + address_, "", 0, 0, {}}}};
  for (auto& [tenant, x] : tenants_)
    children.push_back({caf::actor_cast<described_actor>(x.directory), {"tenant " + tenant, "", 0, 0, {}}});
  gather_description(self_, promise, {name, registry_ ? "joined" : "alone", self_->mailbox().size(), 0, {}}, std::move(children));
  return promise;
}

edge_impl::behavior_type edge(
    edge_impl::stateful_pointer<edge_state> self, dialer_actor dialer, link_options link, relay_ground ground) {
  auto& st = self->state;
  st.begin(std::move(dialer), std::move(link), std::move(ground));
  return {
      [&st](const resolve_tenant& x) { return st.on(x); },
      [&st](const find_tenant& x) { return st.on(x); },
      [&st](const check_readiness& x) { return st.on(x); },
      [&st](const describe_actor& x) { return st.on(x); },
      [&st](const list_nodes& x) { return st.on(x); },
      [&st](const node_joined& x) { st.on(x); },
      [&st](const bind_again& x) { st.on(x); },
  };
}

} // namespace segue
