#include "actors/tenant/tenant.hpp"

#include "actors/description.hpp"
#include "actors/log.hpp"
#include "actors/transfer/reporter.hpp"

namespace segue {

namespace {

constexpr auto readiness_patience = std::chrono::seconds{2};

} // namespace

void tenant_state::begin(tenant_parts parts) {
  parts_ = std::move(parts);
  self_->set_down_handler([this](const caf::down_msg& x) { stopped(x); });
  parts_.make_opener ? await_stores() : start(object_store);
}

tenant_state::~tenant_state() {
  opener_ ? self_->send_exit(opener_, caf::exit_reason::user_shutdown) : stop(object_store);
}

// -- supervision: rest for one -------------------------------------------------------------------------------------------

void tenant_state::await_stores() {
  opener_ = parts_.make_opener(self_->system());
  self_->monitor(opener_);
}

template <class Handle>
void tenant_state::keep(child which, const Handle& x) {
  children_[which] = caf::actor_cast<caf::actor>(x);
  self_->monitor(children_[which]);
}

void tenant_state::start(size_t from) {
  auto me = caf::actor_cast<caf::actor>(self_);
  auto& system = self_->system();
  auto* m = parts_.counters;
  if (from <= object_store)
    keep(object_store, object_store_ = parts_.make_object_store(system));
  if (from <= chunk_store)
    keep(chunk_store, chunk_store_ = parts_.make_chunk_store(system, object_store_));
  if (from <= catalogue)
    keep(catalogue, catalogue_ = parts_.make_catalogue(system));
  if (from <= transfers) {
    transfer_ground ground{catalogue_, chunk_store_, object_store_};
    keep(transfers, transfers_ = self_->spawn(segue::transfers, me, std::move(ground), parts_.transfers, m));
  }
  if (!parts_.serves)
    return;
  if (from <= directory)
    keep(directory, directory_ = self_->spawn(segue::directory, me, chunk_store_, transfers_, parts_.streams, m));
  if (from <= manager)
    keep(manager, manager_ = self_->spawn(segue::manager, me, directory_, catalogue_, transfers_, parts_.make_generator,
                      parts_.generations, m));
  keep(reporter, self_->spawn(transfer_reporter, me, catalogue_, transfers_, directory_));
}

/// Last first. Children are watched no more, so that their end is not mistaken for a death.
void tenant_state::stop(size_t from) {
  for (size_t i = count(); i > from; --i) {
    self_->demonitor(children_[i - 1]);
    self_->send_exit(children_[i - 1], caf::exit_reason::user_shutdown);
  }
}

void tenant_state::stopped(const caf::down_msg& x) {
  if (opener_ && opener_.address() == x.source) {
    if (x.reason)
      return await_stores();
    opener_ = nullptr;
    return start(object_store);
  }
  for (size_t i = 0; i < count(); ++i) {
    if (children_[i].address() != x.source)
      continue;
    log::error("tenant", "child_died", std::string{child_names[i]} + ": " + caf::to_string(x.reason));
    stop(i + 1);
    if (!budget_.allow(restart_budget::clock::now())) {
      given_up_ = true;
      log::error("tenant", "given_up", "its parts died too often: it is not ready any more, restart the server");
      return;
    }
    ++restarts_[i];
    parts_.counters->restarts.Increment();
    start(i);
    return;
  }
}

const char* tenant_state::condition() const {
  return given_up_ ? "given up" : opener_ ? "waiting for its stores" : "ready";
}

// -- requests ------------------------------------------------------------------------------------------------------------

caf::result<tenant_services> tenant_state::on(const resolve_tenant&) {
  if (given_up_)
    return caf::make_error(ec::unavailable, std::string{"the tenant's parts died too often"});
  if (opener_)
    return caf::make_error(ec::unavailable, std::string{"the tenant's stores were not reached since the server began"});
  return tenant_services{directory_, manager_, transfers_, catalogue_, parts_.name, {}, role::admin};
}

/// Ready is who can read both stores now.
caf::result<readiness_checked> tenant_state::on(const check_readiness&) {
  if (given_up_)
    return readiness_checked{false, {"supervision: its parts died too often"}};
  if (opener_)
    return readiness_checked{false, {"stores: unavailable since the server began"}};
  struct inquiry {
    caf::typed_response_promise<readiness_checked> promise;
    readiness_checked result{true, {"chunk store: ", "catalogue: ", "generations: ", "objects: "}};
    size_t open = 4;
  };
  auto asked = std::make_shared<inquiry>();
  asked->promise = self_->make_response_promise<caf::typed_response_promise<readiness_checked>>();
  auto settle = [asked](size_t part, ec code) {
    asked->result.checks[part] += code == ec::none ? "ok" : to_string(code);
    bool needed = part != 3; // without objects nothing but archived pieces is missing
    asked->result.ready = asked->result.ready && (code == ec::none || !needed);
    if (--asked->open == 0)
      asked->promise.deliver(std::move(asked->result));
  };
  auto failed = [settle](size_t part) { return [=](const caf::error& why) { settle(part, code_of(why)); }; };
  self_->request(chunk_store_, readiness_patience, load_stream{""})
      .then([settle](const stream_loaded&) { settle(0, ec::none); },
          [settle](const caf::error& why) {
            bool answered = code_of(why) == ec::not_found; // which is all that is asked for
            settle(0, answered ? ec::none : code_of(why));
          });
  self_->request(object_store_, readiness_patience, read_object{"ready", 0, 1})
      .then([settle](const object_read&) { settle(3, ec::none); },
          [settle](const caf::error& why) { settle(3, code_of(why) == ec::not_found ? ec::none : code_of(why)); });
  self_->request(catalogue_, readiness_patience, list_unfinished{0, 1})
      .then([settle](const generations_listed&) { settle(1, ec::none); }, failed(1));
  self_->request(manager_, readiness_patience, check_readiness{})
      .then([settle](const readiness_checked& x) { settle(2, x.ready ? ec::none : ec::unavailable); }, failed(2));
  return asked->promise;
}

caf::result<actor_description> tenant_state::on(const describe_actor&) {
  auto promise = self_->make_response_promise<caf::typed_response_promise<actor_description>>();
  std::vector<described_child> children;
  for (size_t i = 0; i < (opener_ ? 0 : count()); ++i)
    children.push_back({caf::actor_cast<described_actor>(children_[i]), {child_names[i], "", 0, restarts_[i], {}}});
  gather_description(self_, promise,
      {"tenant " + parts_.name, condition(), self_->mailbox().size(), 0, {}}, std::move(children));
  return promise;
}

tenant_actor::behavior_type tenant(tenant_actor::stateful_pointer<tenant_state> self, tenant_parts parts) {
  auto& st = self->state;
  st.begin(std::move(parts));
  return {
      [&st](const resolve_tenant& x) { return st.on(x); },
      [&st](const check_readiness& x) { return st.on(x); },
      [&st](const describe_actor& x) { return st.on(x); },
  };
}

} // namespace segue
