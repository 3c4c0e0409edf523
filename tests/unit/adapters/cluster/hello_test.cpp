#define CAF_SUITE adapters.cluster.hello

#include "adapters/cluster/hello.hpp"

#include "tests/support/test.hpp"

using namespace segue::cluster;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const std::string secret = "a secret of more than sixteen bytes";

node_name edge(std::string interface = "one.1706") { return {"3f2c-77", "far/1", std::move(interface)}; }
node_name owner(std::string interface = "one.1706") { return {"owner", "near/2", std::move(interface)}; }

/// Why it was refused, and whether the other side can be told; empty: it was not.
template <class F>
std::string refused(F f) {
  try {
    f();
  } catch (const refusal& why) {
    auto told = read_refusal(refusal_line(why));
    CAF_CHECK(told.has_value());
    CAF_CHECK(told && told->why == why.why);
    CAF_CHECK(told && std::string{told->what()}.find(why.what()) != std::string::npos);
    return why.what();
  }
  return {};
}

} // namespace

CAF_TEST(two nodes with one secret and one interface come together and know who the other is) {
  caller a{edge(), secret};
  host b{owner(), secret};
  auto greeting = a.greeting();
  auto challenge = b.challenge(greeting);
  auto proof = a.prove(challenge);
  auto welcome = b.welcome(proof);
  a.believe(welcome);
  CAF_CHECK_EQUAL(b.other().id, "3f2c-77");
  CAF_CHECK_EQUAL(b.other().name, "far/1");
  CAF_CHECK_EQUAL(a.other().name, "near/2");
  CAF_CHECK_EQUAL(a.key(), b.key());
  CAF_CHECK(a.key().size() == 64 && !has(welcome + proof, a.key()));
  for (const auto& line : {greeting, challenge, proof, welcome}) {
    CAF_CHECK(!has(line, secret));
    CAF_CHECK(line.size() < longest_line);
    CAF_CHECK(!has(line, "\n"));
  }
}

CAF_TEST(another secret is refused by both sides) {
  caller a{edge(), "not the secret of the other"};
  host b{owner(), secret};
  auto proof = a.prove(b.challenge(a.greeting()));
  auto told = refused([&] { b.welcome(proof); });
  CAF_CHECK(has(told, "--cluster-secret"));
  CAF_CHECK(!has(told, secret));

  caller honest{edge(), secret};
  host liar{owner(), "not the secret of the other"};
  honest.prove(liar.challenge(honest.greeting()));
  auto forged = refused([&] { honest.believe("welcome 0000"); });
  CAF_CHECK(has(forged, "--cluster-secret"));
}

CAF_TEST(builds with different interfaces refuse each other and say which versions they are) {
  caller a{edge("new.1706"), secret};
  host b{owner("old.1706"), secret};
  auto by_host = refused([&] { b.challenge(a.greeting()); });
  CAF_CHECK_EQUAL(by_host, "this node speaks interface old.1706, the other one new.1706: run the same version of segue on both");

  host same{owner("new.1706"), secret}; // a host that does not look
  auto challenge = same.challenge(a.greeting());
  challenge.replace(challenge.find("new.1706"), 8, "old.1706");
  auto by_caller = refused([&] { a.prove(challenge); });
  CAF_CHECK_EQUAL(by_caller, "this node speaks interface new.1706, the other one old.1706: run the same version of segue on both");
}

CAF_TEST(who refuses is heard) {
  caller a{edge(), secret};
  refusal why{refusal::kind::interface, "too old"};
  auto heard = refused([&] { a.prove(refusal_line(why)); });
  CAF_CHECK_EQUAL(heard, "the node that was dialled refuses: too old");
}

CAF_TEST(a proof is good for one meeting and for one side) {
  caller a{edge(), secret};
  host b{owner(), secret};
  auto proof = a.prove(b.challenge(a.greeting()));
  auto welcome = b.welcome(proof);

  host again{owner(), secret};
  again.challenge(a.greeting());
  CAF_CHECK(!refused([&] { again.welcome(proof); }).empty()); // another nonce of the host

  caller other{edge(), secret};
  other.prove(b.challenge(other.greeting()));
  CAF_CHECK(!refused([&] { other.believe(welcome); }).empty()); // another nonce of the caller

  auto mirrored = "proof " + welcome.substr(std::string{"welcome "}.size());
  CAF_CHECK(!refused([&] { b.welcome(mirrored); }).empty()); // what the host shows is no proof of a caller
}

CAF_TEST(who does not speak like a node is refused) {
  for (std::string line : {"", "GET / HTTP/1.1", "segue-node/1", "segue-node/2 a b c d", "segue-node/1 a", "segue-node/1 a b/../c d e"}) {
    host b{owner(), secret};
    CAF_CHECK(has(refused([&] { b.challenge(line); }), "does not speak like a node"));
    caller a{edge(), secret};
    CAF_CHECK(has(refused([&] { a.prove(line); }), "does not speak like a node"));
  }
}

CAF_TEST(names and reasons of others cannot move the cursor of a terminal) {
  host b{owner(), secret};
  b.challenge("segue-node/1 one.1706 id nonce evil\x1b[2Jname");
  CAF_CHECK_EQUAL(b.other().name, "evil?[2Jname");
  auto told = read_refusal("refused secret go\x07 away");
  CAF_REQUIRE(told.has_value());
  CAF_CHECK_EQUAL(std::string{told->what()}, "the node that was dialled refuses: go? away");
}
