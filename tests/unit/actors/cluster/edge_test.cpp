#define CAF_SUITE actors.cluster.edge

#include "actors/cluster/edge.hpp"

#include "tests/support/relay_fixture.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

struct owner_parts {
  directory_actor directory;
  manager_actor manager;
  std::vector<std::string> asked;
  bool removed = false; ///< there is no tenant any more
  bool silent = false;  ///< the manager does not answer
};

registry_actor::behavior_type owner_registry(registry_actor::pointer, std::shared_ptr<owner_parts> parts) {
  return {
      [parts](const resolve_tenant& x) -> caf::result<tenant_services> {
        if (x.credential == "bad")
          return caf::make_error(ec::unauthenticated, std::string{"nobody knows you"});
        return tenant_services{parts->directory, parts->manager, {}, {}, "default", x.credential, role::writer, 12345};
      },
      [parts](const find_tenant& x) -> caf::result<tenant_services> {
        parts->asked.push_back("tenant " + x.name);
        if (parts->removed)
          return caf::make_error(ec::not_found, std::string{"there is no such tenant"});
        return tenant_services{parts->directory, parts->manager, {}, {}, x.name, {}, role::admin};
      },
      [](const check_readiness&) { return readiness_checked{true, {}}; },
      [](const describe_actor&) { return actor_description{}; },
  };
}

manager_actor::behavior_type owner_manager(manager_actor::pointer self, std::shared_ptr<owner_parts> parts) {
  auto status = [parts](const std::string& what) {
    parts->asked.push_back(what);
    generation_status x;
    x.row.request_id = what;
    return x;
  };
  return {
      [status, parts, self](const start_generation& x) -> caf::result<generation_status> {
        if (parts->silent)
          return self->make_response_promise<caf::typed_response_promise<generation_status>>();
        return status("start " + x.prompt);
      },
      [status](const find_generation& x) -> caf::result<generation_status> {
        if (x.request_id == "none")
          return caf::make_error(ec::not_found, std::string{"there is none"});
        return status("find " + x.request_id);
      },
      [](const list_generations&) { return generations_listed{}; },
      [status](const cancel_generation& x) { return status("cancel " + x.request_id); },
      [](const purge_generation&) { return generation_purged{}; },
      [parts](const generation_progressed&) { parts->asked.push_back("progressed"); },
      [](const check_readiness&) { return readiness_checked{}; },
      [](const describe_actor&) { return actor_description{}; },
  };
}

node_actor::behavior_type owner_node(node_actor::pointer, registry_actor registry) {
  return {
      [registry](const join_node&) { return node_joined{registry, "owner", true}; },
      [](const ping_node&) { return node_pinged{}; },
      [](const list_nodes&) { return nodes_listed{}; },
      [](const describe_actor&) { return actor_description{}; },
  };
}

struct fixture : relay_fixture {
  std::shared_ptr<owner_parts> parts = std::make_shared<owner_parts>();
  std::shared_ptr<bool> reached = std::make_shared<bool>(true);
  registry_actor registry;
  node_actor node;
  dialer_actor dialer;
  edge_impl edge;

  fixture() {
    begin_owner();
    dialer = sys.spawn([this](dialer_actor::pointer) -> dialer_actor::behavior_type {
      return {
          [this](const dial_node&) -> caf::result<node_dialled> {
            if (!*reached)
              return caf::make_error(ec::unavailable, std::string{"no way"});
            return node_dialled{node};
          },
          [](const hear_link&) { return link_heard{1'000'000}; },
          [](const cut_link&) {},
      };
    });
    edge = sys.spawn(segue::edge, dialer, link_options{"owner:1", "edge", true, 10s}, ground);
    consume_messages();
  }

  void begin_owner() {
    parts->directory = directory;
    parts->manager = sys.spawn(owner_manager, parts);
    registry = sys.spawn(owner_registry, parts);
    node = sys.spawn(owner_node, registry);
  }

  void end_owner() {
    for (const auto& x : {caf::actor_cast<caf::actor>(node), caf::actor_cast<caf::actor>(registry), caf::actor_cast<caf::actor>(parts->manager)})
      caf::anon_send_exit(x, caf::exit_reason::kill);
    consume_messages();
  }

  ~fixture() override {
    caf::anon_send_exit(edge, caf::exit_reason::user_shutdown);
    consume_messages();
    end_owner();
    caf::anon_send_exit(dialer, caf::exit_reason::kill);
    consume_messages();
    *parts = {};
  }

  tenant_services open(const std::string& credential = "ada") { return ask(edge, resolve_tenant{credential}).reply(); }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(edge_tests, fixture)

CAF_TEST(whose request may do what the owner says and relays of this node stand for its services) {
  auto x = open();
  CAF_CHECK_EQUAL(x.user_id, "ada");
  CAF_CHECK_EQUAL(x.may, role::writer);
  CAF_CHECK_EQUAL(x.until_ms, 12345);
  CAF_CHECK(x.directory != directory && x.manager != parts->manager);
  CAF_CHECK(open("bob").directory == x.directory); // one set for a tenant
  CAF_CHECK_EQUAL(ask(edge, resolve_tenant{"bad"}).code(), ec::unauthenticated);
  auto found = ask(edge, find_tenant{"default"}).reply();
  CAF_CHECK(found.directory == x.directory && found.manager == x.manager && found.transfers == x.transfers);
  CAF_CHECK_EQUAL(ask(edge, find_tenant{"other"}).code(), ec::not_found);
}

CAF_TEST(what is asked of the manager is passed on with its answers and errors) {
  auto x = open();
  CAF_CHECK_EQUAL(ask(x.manager, start_generation{"ada", "jazz"}).reply().row.request_id, "start jazz");
  CAF_CHECK_EQUAL(ask(x.manager, find_generation{"none"}).code(), ec::not_found);
  CAF_CHECK_EQUAL(ask(x.manager, purge_generation{"1"}).code(), ec::none);
  caf::anon_send(x.manager, generation_progressed{});
  consume_messages();
  CAF_CHECK_EQUAL(parts->asked.size(), 1u); // what the owner's actors tell each other is not for others
}

CAF_TEST(ready is who has joined) {
  auto now = ask(edge, check_readiness{}).reply();
  CAF_CHECK(now.ready);
  CAF_CHECK_EQUAL(now.checks.at(0).substr(0, 20), "node owner:1: joined");
  *reached = false;
  end_owner();
  now = ask(edge, check_readiness{}).reply();
  CAF_CHECK(!now.ready);
  CAF_CHECK(now.checks.at(0).find("dialling") != std::string::npos);
}

CAF_TEST(without the owner everything is unavailable at once and the same relays work when it is back) {
  auto x = open();
  actor_fixture::open();
  *reached = false;
  end_owner();
  lose_owner();
  CAF_CHECK_EQUAL(ask(edge, resolve_tenant{"ada"}).code(), ec::unavailable);
  CAF_CHECK_EQUAL(ask(x.manager, find_generation{"1"}).code(), ec::unavailable);
  CAF_CHECK_EQUAL(ask(x.directory, find_stream{"a"}).code(), ec::unavailable);
  start();
  begin_owner();
  *reached = true;
  pass(6s, 50ms);
  CAF_CHECK_EQUAL(ask(x.manager, find_generation{"1"}).reply().row.request_id, "find 1");
  CAF_CHECK_EQUAL(ask(x.directory, find_stream{"a"}).code(), ec::none);
  CAF_CHECK_EQUAL(ask(edge, resolve_tenant{"ada"}).code(), ec::none);
}

CAF_TEST(a wish whose answer is lost may have been accepted and is not called unavailable) {
  auto x = open();
  parts->silent = true;
  auto wish = post(x.manager, start_generation{"ada", "jazz"});
  consume_messages();
  CAF_CHECK(!wish.here());
  kill(parts->manager);
  CAF_CHECK_EQUAL(wish.code(), ec::unknown_outcome);
  CAF_CHECK_EQUAL(ask(x.manager, start_generation{"ada", "jazz"}).code(), ec::unavailable); // this one was never sent
}

CAF_TEST(a tenant that was removed is not asked for again and again) {
  open();
  parts->removed = true;
  kill(parts->manager);
  pass(10s, 100ms);
  CAF_CHECK(std::count(parts->asked.begin(), parts->asked.end(), "tenant default") <= 3);
}

CAF_TEST(a part of the owner that is started again is found again) {
  auto x = open();
  kill(parts->manager);
  CAF_CHECK_EQUAL(ask(x.manager, find_generation{"1"}).code(), ec::unavailable);
  parts->manager = sys.spawn(owner_manager, parts);
  pass(1s, 50ms);
  CAF_CHECK_EQUAL(ask(x.manager, find_generation{"1"}).reply().row.request_id, "find 1");
}

CAF_TEST(the tree of an edge shows its link and its tenants) {
  open();
  auto x = ask(edge, describe_actor{}).reply();
  CAF_REQUIRE_EQUAL(x.children.size(), 2u);
  CAF_CHECK_EQUAL(x.children[0].name, "link to owner:1");
  CAF_CHECK_EQUAL(x.children[0].state, "joined");
  CAF_CHECK_EQUAL(x.children[1].name, "tenant default");
}

CAF_TEST_FIXTURE_SCOPE_END()
