#include "actors/tenant/registry.hpp"

#include "actors/description.hpp"
#include "actors/sha256.hpp"

#include <algorithm>

namespace segue {

namespace {

constexpr auto timeout = std::chrono::seconds{30};
constexpr size_t most_keys = 10'000; ///< that are remembered; then it begins anew

caf::error unknown() {
  return caf::make_error(ec::unauthenticated, std::string{"The API key or token is not good for this server."});
}

} // namespace

void registry_state::begin(std::map<std::string, registered_tenant> tenants, registry_options options) {
  tenants_ = std::move(tenants);
  options_ = options;
}

registry_state::~registry_state() {
  for (auto& [tenant, x] : tenants_)
    self_->send_exit(x.tenant, caf::exit_reason::user_shutdown);
}

// -- the door ----------------------------------------------------------------------------------------------------------

caf::result<tenant_services> registry_state::on(const resolve_tenant& x) {
  if (!options_.auth)
    return self_->delegate(tenants_.begin()->second.tenant, x);
  if (x.credential.empty())
    return caf::make_error(ec::unauthenticated, std::string{"An API key or a token is needed: Authorization: Bearer …"});
  auto claim = read_claim(x.credential);
  if (!claim)
    return unknown();
  if (claim->tenant.empty() && tenants_.size() == 1)
    claim->tenant = tenants_.begin()->first;
  auto known = tenants_.find(claim->tenant);
  if (known == tenants_.end())
    return unknown();
  auto promise = self_->make_response_promise<services_promise>();
  if (!claim->is_token)
    check_key(known->first, sha256_of(x.credential), promise);
  else if (auto who = check_token(x.credential, known->second.jwt_secret, unix_now_ms()))
    open(known->first, std::move(*who), promise);
  else
    promise.deliver(unknown());
  return promise;
}

caf::result<tenant_services> registry_state::on(const find_tenant& x) {
  auto known = tenants_.find(x.name);
  if (known == tenants_.end())
    return caf::make_error(ec::not_found, "there is no tenant " + x.name);
  return self_->delegate(known->second.tenant, resolve_tenant{});
}

void registry_state::check_key(const std::string& tenant, std::string hash, services_promise promise) {
  auto now = self_->clock().now();
  if (auto known = keys_.find(hash); known != keys_.end() && now < known->second.until)
    return open(tenant, known->second.who, promise);
  auto failed = [promise](const caf::error& why) mutable { promise.deliver(why); };
  self_->request(tenants_.at(tenant).tenant, timeout, resolve_tenant{})
      .then(
          [this, tenant, hash, promise, failed](const tenant_services& x) {
            self_->request(x.catalogue, timeout, find_api_key{hash})
                .then(
                    [this, tenant, hash, promise](const api_key_found& found) {
                      if (keys_.size() >= most_keys)
                        keys_.clear();
                      identity who{found.key.user_id, found.key.may};
                      keys_[hash] = {who, self_->clock().now() + options_.trust};
                      open(tenant, std::move(who), promise);
                    },
                    [promise](const caf::error& why) mutable {
                      promise.deliver(code_of(why) == ec::not_found ? unknown() : why);
                    });
          },
          failed);
}

void registry_state::open(const std::string& tenant, identity who, services_promise promise) {
  self_->request(tenants_.at(tenant).tenant, timeout, resolve_tenant{})
      .then(
          [who, promise](tenant_services& x) mutable {
            x.user_id = std::move(who.user_id);
            x.may = who.may;
            x.until_ms = std::min(x.until_ms, who.until_ms);
            promise.deliver(std::move(x));
          },
          [promise](const caf::error& why) mutable { promise.deliver(why); });
}

// -- the rest ----------------------------------------------------------------------------------------------------------

/// Ready is a server with a tenant that is: one whose stores are away must not take the others down with it.
caf::result<readiness_checked> registry_state::on(const check_readiness& x) {
  if (tenants_.size() == 1)
    return self_->delegate(tenants_.begin()->second.tenant, x);
  struct inquiry {
    caf::typed_response_promise<readiness_checked> promise;
    readiness_checked result{false, {}};
    size_t open = 0;
  };
  auto asked = std::make_shared<inquiry>();
  asked->promise = self_->make_response_promise<caf::typed_response_promise<readiness_checked>>();
  asked->open = tenants_.size();
  for (auto& [tenant, known] : tenants_) {
    auto settle = [asked, tenant = tenant](const readiness_checked& found) {
      asked->result.ready = asked->result.ready || found.ready;
      for (const auto& check : found.checks)
        asked->result.checks.push_back(tenant + " " + check);
      if (--asked->open == 0)
        asked->promise.deliver(std::move(asked->result));
    };
    self_->request(known.tenant, timeout, x).then(settle, [settle](const caf::error& why) {
      settle(readiness_checked{false, {to_string(code_of(why))}});
    });
  }
  return asked->promise;
}

caf::result<actor_description> registry_state::on(const describe_actor&) {
  auto promise = self_->make_response_promise<caf::typed_response_promise<actor_description>>();
  std::vector<described_child> children;
  for (auto& [tenant, known] : tenants_)
    children.push_back({caf::actor_cast<described_actor>(known.tenant), {"tenant " + tenant, "", 0, 0, {}}});
  gather_description(self_, promise, {name, "ready", self_->mailbox().size(), 0, {}}, std::move(children));
  return promise;
}

registry_actor::behavior_type registry(registry_actor::stateful_pointer<registry_state> self,
    std::map<std::string, registered_tenant> tenants, registry_options options) {
  auto& st = self->state;
  st.begin(std::move(tenants), options);
  return {
      [&st](const resolve_tenant& x) { return st.on(x); },
      [&st](const find_tenant& x) { return st.on(x); },
      [&st](const check_readiness& x) { return st.on(x); },
      [&st](const describe_actor& x) { return st.on(x); },
  };
}

} // namespace segue
