#include "actors/tenant/tenant.hpp"

#include "actors/description.hpp"
#include "actors/log.hpp"

namespace segue {

namespace {

constexpr auto readiness_patience = std::chrono::seconds{2};

} // namespace

void tenant_state::begin(tenant_parts parts) {
  parts_ = std::move(parts);
  self_->set_down_handler([this](const caf::down_msg& x) { stopped(x); });
  start(chunk_store);
}

tenant_state::~tenant_state() { stop(chunk_store); }

// -- supervision: rest for one -------------------------------------------------------------------------------------------

void tenant_state::start(size_t from) {
  auto me = caf::actor_cast<caf::actor>(self_);
  if (from <= chunk_store) {
    chunk_store_ = parts_.make_chunk_store(self_->system());
    children_[chunk_store] = caf::actor_cast<caf::actor>(chunk_store_);
  }
  if (from <= catalogue) {
    catalogue_ = parts_.make_catalogue(self_->system());
    children_[catalogue] = caf::actor_cast<caf::actor>(catalogue_);
  }
  if (from <= directory) {
    directory_ = self_->spawn(segue::directory, me, chunk_store_, parts_.streams, parts_.counters);
    children_[directory] = caf::actor_cast<caf::actor>(directory_);
  }
  manager_ = self_->spawn(segue::manager, me, directory_, catalogue_, parts_.make_generator, parts_.generations,
      parts_.counters);
  children_[manager] = caf::actor_cast<caf::actor>(manager_);
  for (auto i = from; i < child_count; ++i)
    self_->monitor(children_[i]);
}

/// Last first. Children are watched no more, so that their end is not mistaken for a death.
void tenant_state::stop(size_t from) {
  for (size_t i = child_count; i > from; --i) {
    self_->demonitor(children_[i - 1]);
    self_->send_exit(children_[i - 1], caf::exit_reason::user_shutdown);
  }
}

void tenant_state::stopped(const caf::down_msg& x) {
  for (size_t i = 0; i < child_count; ++i) {
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

// -- requests ------------------------------------------------------------------------------------------------------------

caf::result<tenant_services> tenant_state::on(const resolve_tenant&) {
  if (given_up_)
    return caf::make_error(ec::unavailable, std::string{"the tenant's parts died too often"});
  return tenant_services{directory_, manager_};
}

/// Ready is who can read both stores now.
caf::result<readiness_checked> tenant_state::on(const check_readiness&) {
  if (given_up_)
    return readiness_checked{false, {"supervision: its parts died too often"}};
  struct inquiry {
    caf::typed_response_promise<readiness_checked> promise;
    readiness_checked result{true, {"chunk store: ", "catalogue: ", "generations: "}};
    size_t open = 3;
  };
  auto asked = std::make_shared<inquiry>();
  asked->promise = self_->make_response_promise<caf::typed_response_promise<readiness_checked>>();
  auto settle = [asked](size_t part, ec code) {
    asked->result.checks[part] += code == ec::none ? "ok" : to_string(code);
    asked->result.ready = asked->result.ready && code == ec::none;
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
  self_->request(catalogue_, readiness_patience, list_unfinished{0, 1})
      .then([settle](const generations_listed&) { settle(1, ec::none); }, failed(1));
  self_->request(manager_, readiness_patience, check_readiness{})
      .then([settle](const readiness_checked& x) { settle(2, x.ready ? ec::none : ec::unavailable); }, failed(2));
  return asked->promise;
}

caf::result<actor_description> tenant_state::on(const describe_actor&) {
  auto promise = self_->make_response_promise<caf::typed_response_promise<actor_description>>();
  std::vector<described_child> children;
  for (size_t i = 0; i < child_count; ++i)
    children.push_back({caf::actor_cast<described_actor>(children_[i]), {child_names[i], "", 0, restarts_[i], {}}});
  gather_description(self_, promise,
      {"tenant " + parts_.name, given_up_ ? "given up" : "ready", self_->mailbox().size(), 0, {}}, std::move(children));
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
