#define CAF_SUITE actors.cluster.link

#include "actors/cluster/link.hpp"

#include "tests/support/relay_fixture.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

/// What the other side does.
struct far_side {
  ec dialling = ec::none; ///< how dialling goes
  ec pinging = ec::none;
  bool silent = false;
  bool auth = false;
  uint64_t quiet_ms = 1'000'000; ///< that nothing came over the link
  int pinged = 0;
  int dialled = 0;
  int cut = 0;
  std::vector<std::string> said;
  node_actor node;
  node_actor known;
};

node_actor::behavior_type far_node(node_actor::pointer self, std::shared_ptr<far_side> far) {
  return {
      [far](const join_node& x) -> caf::result<node_joined> {
        far->said.push_back("join " + x.id);
        return node_joined{{}, "far", far->auth};
      },
      [far, self](const ping_node&) -> caf::result<node_pinged> {
        ++far->pinged;
        if (far->silent)
          return self->make_response_promise<caf::typed_response_promise<node_pinged>>();
        if (far->pinging != ec::none)
          return caf::make_error(far->pinging);
        return node_pinged{};
      },
      [](const list_nodes&) { return nodes_listed{}; },
      [](const describe_actor&) { return actor_description{}; },
  };
}

dialer_actor::behavior_type far_dialer(dialer_actor::pointer self, std::shared_ptr<far_side> far) {
  return {
      [far, self](const dial_node&) -> caf::result<node_dialled> {
        ++far->dialled;
        if (far->dialling != ec::none)
          return caf::make_error(far->dialling, std::string{"not today"});
        if (!far->node)
          far->node = self->spawn(far_node, far);
        return node_dialled{far->node};
      },
      [far](const hear_link&) { return link_heard{far->quiet_ms}; },
      [far](const cut_link&) { ++far->cut; },
  };
}

/// Hears from the link.
link_listener::behavior_type near_side(link_listener::pointer, std::shared_ptr<std::vector<std::string>> heard) {
  return {
      [heard](const node_joined& x) { heard->push_back("joined " + x.name); },
  };
}

struct fixture : relay_fixture {
  std::shared_ptr<far_side> far = std::make_shared<far_side>();
  std::shared_ptr<std::vector<std::string>> heard = std::make_shared<std::vector<std::string>>();
  dialer_actor dialer = sys.spawn(far_dialer, far);
  link_listener near = sys.spawn(near_side, heard);
  link_actor link;

  void begin(bool auth = false) {
    link = sys.spawn(segue::link, dialer, near, link_options{"far:1", "near", auth, 10s}, &relayed);
    consume_messages();
  }

  ~fixture() override {
    for (const auto& x : {caf::actor_cast<caf::actor>(link), caf::actor_cast<caf::actor>(dialer), caf::actor_cast<caf::actor>(near),
             caf::actor_cast<caf::actor>(far->node)})
      if (x)
        caf::anon_send_exit(x, caf::exit_reason::kill);
    far->node = nullptr;
    consume_messages();
  }

  node_row peer() {
    auto listed = ask(link, list_nodes{}).reply();
    CAF_REQUIRE_EQUAL(listed.peers.size(), 1u);
    return listed.peers[0];
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(link_tests, fixture)

CAF_TEST(a link is made at once and says so) {
  begin();
  CAF_CHECK_EQUAL(peer().state, node_state::joined);
  CAF_CHECK_EQUAL(peer().name, "far");
  CAF_CHECK_EQUAL(*heard == (std::vector<std::string>{"joined far"}), true);
  CAF_CHECK_EQUAL(relayed.peers_joined.Value(), 1.0);
}

CAF_TEST(who is not reached is dialled again and again but more and more rarely) {
  far->dialling = ec::unavailable;
  begin();
  CAF_CHECK_EQUAL(peer().state, node_state::dialling);
  CAF_CHECK_EQUAL(peer().detail, "not today");
  pass(1s);
  auto early = far->dialled;
  CAF_CHECK(early >= 3);
  pass(60s, 50ms);
  auto in_a_minute = far->dialled - early;
  CAF_CHECK(in_a_minute >= 11 && in_a_minute <= 30);
  far->dialling = ec::none;
  pass(6s, 50ms);
  CAF_CHECK_EQUAL(peer().state, node_state::joined);
  CAF_CHECK_EQUAL(peer().reconnects, 0u);
}

CAF_TEST(who refuses is asked again and the reason is shown) {
  far->dialling = ec::unauthenticated;
  begin();
  CAF_CHECK_EQUAL(peer().state, node_state::refused);
  CAF_CHECK_EQUAL(peer().detail, "not today");
  far->dialling = ec::conflict;
  pass(1s);
  CAF_CHECK_EQUAL(peer().state, node_state::refused);
  far->dialling = ec::none;
  pass(6s, 50ms);
  CAF_CHECK_EQUAL(peer().state, node_state::joined);
}

CAF_TEST(a node that has died is dialled again) {
  begin();
  auto before = far->dialled;
  kill(std::exchange(far->node, nullptr));
  CAF_CHECK_EQUAL(peer().state, node_state::dialling);
  CAF_CHECK(far->cut > 0);
  CAF_CHECK_EQUAL(relayed.peers_joined.Value(), 0.0);
  pass(200ms);
  CAF_CHECK_EQUAL(far->dialled, before + 1);
  CAF_CHECK_EQUAL(peer().state, node_state::joined);
  CAF_CHECK_EQUAL(peer().reconnects, 1u);
  CAF_CHECK_EQUAL(heard->size(), 2u);
  CAF_CHECK_EQUAL(relayed.link_reconnects.Value(), 1.0);
}

CAF_TEST(a node that says nothing for too long is cut off and dialled again) {
  begin();
  far->silent = true;
  pass(9s, 100ms);
  CAF_CHECK_EQUAL(peer().state, node_state::joined);
  pass(2s, 100ms);
  CAF_CHECK(peer().reconnects > 0);
  CAF_CHECK(far->cut > 0);
  far->silent = false;
  pass(12s, 100ms);
  CAF_CHECK_EQUAL(peer().state, node_state::joined);
}

CAF_TEST(a node whose answers wait behind much else is not cut off as long as something comes) {
  begin();
  far->silent = true;
  far->quiet_ms = 200;
  pass(60s, 100ms);
  CAF_CHECK_EQUAL(peer().state, node_state::joined);
  CAF_CHECK_EQUAL(peer().reconnects, 0u);
  far->quiet_ms = 20'000;
  pass(12s, 100ms);
  CAF_CHECK(peer().reconnects > 0);
}

CAF_TEST(a link that was made anew is pinged as often as any other) {
  begin();
  pass(10s, 50ms);
  auto before = far->pinged;
  for (int i = 0; i < 5; ++i) {
    kill(std::exchange(far->node, nullptr));
    pass(300ms, 50ms);
    CAF_CHECK_EQUAL(peer().state, node_state::joined);
  }
  far->pinged = 0;
  pass(10s, 50ms);
  CAF_CHECK(far->pinged <= before + 2);
}

CAF_TEST(a node that asks for credentials does not join one that lets anybody do anything) {
  begin(true);
  CAF_CHECK_EQUAL(peer().state, node_state::refused);
  CAF_CHECK(peer().detail.find("--auth") != std::string::npos);
  CAF_CHECK(heard->empty());
  CAF_CHECK_EQUAL(relayed.peers_joined.Value(), 0.0);
  far->auth = true;
  pass(6s, 50ms);
  CAF_CHECK_EQUAL(peer().state, node_state::joined);
}

CAF_TEST(how far away a node is stands beside its name until it is gone) {
  begin();
  pass(1s, 50ms);
  CAF_CHECK(relayed.render().find("segue_peer_round_trip_seconds{peer=\"far\"}") != std::string::npos);
  far->dialling = ec::unavailable;
  kill(std::exchange(far->node, nullptr));
  CAF_CHECK(relayed.render().find("peer=\"far\"") == std::string::npos);
}

CAF_TEST(a node that has forgotten us is joined anew) {
  begin();
  far->pinging = ec::moved;
  pass(1s);
  far->pinging = ec::none;
  pass(6s, 50ms);
  CAF_CHECK_EQUAL(peer().state, node_state::joined);
  CAF_CHECK(peer().reconnects > 0);
  CAF_CHECK(far->said.size() >= 2);
  CAF_CHECK_EQUAL(far->said.front(), far->said.back()); // under the same name
}

CAF_TEST_FIXTURE_SCOPE_END()
