#define CAF_SUITE actors.cluster.nodes

#include "actors/cluster/nodes.hpp"

#include "tests/support/relay_fixture.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

struct fixture : relay_fixture {
  std::vector<uint64_t> cut;
  std::vector<uint64_t> forgotten;
  std::chrono::milliseconds quiet = std::chrono::milliseconds::max(); ///< all links
  uint64_t visits = 0;
  node_actor nodes;

  fixture() {
    nodes_options options{"owner", "here:1", true, 10s};
    options.cut = [this](uint64_t visit) { cut.push_back(visit); };
    options.forget = [this](uint64_t visit) { forgotten.push_back(visit); };
    options.quiet = [this](uint64_t) { return quiet; };
    auto all = sys.spawn(segue::nodes, registry_actor{}, std::move(options), &counters);
    nodes = all;
    door = all;
    consume_messages();
  }

  ~fixture() override {
    for (const auto& x : links)
      caf::anon_send_exit(x, caf::exit_reason::kill);
    caf::anon_send_exit(nodes, caf::exit_reason::kill);
    nodes = nullptr;
    door = nullptr;
    consume_messages();
  }

  nodes_impl door;

  void enter(const std::string& id) {
    caf::anon_send(door, node_entered{id, "edge " + id, "there:2", ++visits});
    consume_messages();
  }

  /// An actor that keeps a link, at the other node.
  caf::actor join(const std::string& id) {
    auto link = sys.spawn<caf::hidden>([this, id](caf::event_based_actor* self) -> caf::behavior {
      self->request(nodes, caf::infinite, join_node{id})
          .then([this](const node_joined& x) { joined.push_back(x.name + (x.auth ? " asks" : "")); },
              [this](const caf::error& why) { joined.push_back(to_string(code_of(why))); });
      return {[](int) {}};
    });
    links.push_back(link);
    consume_messages();
    return link;
  }

  std::vector<caf::actor> links;
  std::vector<std::string> joined; ///< what they were told

  std::string listed() {
    std::string text;
    auto all = ask(nodes, list_nodes{}).reply();
    for (const auto& x : all.peers)
      text += x.id + " " + to_string(x.state) + "; ";
    return text;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(nodes_tests, fixture)

CAF_TEST(who has come in joins and is listed) {
  enter("a");
  CAF_CHECK_EQUAL(listed(), "a entering; ");
  join("a");
  CAF_CHECK_EQUAL(joined.at(0), "owner asks");
  CAF_CHECK_EQUAL(listed(), "a joined; ");
  auto all = ask(nodes, list_nodes{}).reply();
  CAF_CHECK_EQUAL(all.self.role, "owner");
  CAF_CHECK_EQUAL(all.peers[0].address, "there:2");
}

CAF_TEST(who did not come in by the door is not known) {
  CAF_CHECK_EQUAL(ask(nodes, join_node{"x"}).code(), ec::moved);
  CAF_CHECK_EQUAL(ask(nodes, ping_node{"x"}).code(), ec::moved);
}

CAF_TEST(who comes in and never joins is cut off) {
  enter("a");
  pass(13s, 100ms);
  CAF_CHECK_EQUAL(listed(), "");
  CAF_CHECK_EQUAL(forgotten.size(), 1u);
}

CAF_TEST(who says nothing for too long is cut off and who does is not) {
  enter("a");
  enter("b");
  for (int i = 0; i < 20; ++i) {
    pass(1s, 100ms);
    ask(nodes, ping_node{"a", 250});
  }
  CAF_CHECK_EQUAL(listed(), "a entering; ");
  CAF_CHECK_EQUAL(ask(nodes, list_nodes{}).reply().peers[0].round_trip_us, 250u);
  CAF_CHECK_EQUAL(ask(nodes, ping_node{"b"}).code(), ec::moved);
}

CAF_TEST(who sends much and says nothing meanwhile is not cut off) {
  enter("a");
  join("a");
  quiet = 200ms;
  pass(60s, 100ms);
  CAF_CHECK_EQUAL(listed(), "a joined; ");
  quiet = 20s;
  pass(13s, 100ms);
  CAF_CHECK(!cut.empty());
}

CAF_TEST(what a node tells of its link is listed) {
  enter("a");
  join("a");
  ask(nodes, ping_node{"a", 250, 3, 4096});
  auto row = ask(nodes, list_nodes{}).reply().peers.at(0);
  CAF_CHECK_EQUAL(row.reconnects, 3u);
  CAF_CHECK_EQUAL(row.relayed_bytes, 4096u);
  CAF_CHECK(counters.render().find("segue_peer_round_trip_seconds{peer=\"edge a\"} 0.00025") != std::string::npos);
}

CAF_TEST(when a node comes again its former link is forgotten and its new one is not) {
  enter("a");
  auto link = join("a");
  enter("a");
  kill(link);
  CAF_CHECK(forgotten == std::vector<uint64_t>{1});
  CAF_CHECK_EQUAL(listed(), "a entering; ");
}

CAF_TEST(a node whose link has ended is forgotten and may come in again) {
  enter("a");
  auto link = join("a");
  CAF_CHECK_EQUAL(listed(), "a joined; ");
  CAF_CHECK_EQUAL(counters.peers_joined.Value(), 1.0);
  kill(link);
  CAF_CHECK_EQUAL(listed(), "");
  CAF_CHECK_EQUAL(counters.peers_joined.Value(), 0.0);
  CAF_CHECK_EQUAL(forgotten.size(), 1u);
  enter("a");
  join("a");
  CAF_CHECK_EQUAL(listed(), "a joined; ");
}

CAF_TEST_FIXTURE_SCOPE_END()
