#define CAF_SUITE actors.cluster.relay_directory

#include "actors/cluster/relay_directory.hpp"

#include "tests/support/relay_fixture.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

CAF_TEST_FIXTURE_SCOPE(relay_directory_tests, relay_fixture)

CAF_TEST(a stream has one relay for all who find it) {
  open();
  auto a = post(here, find_stream{"a"}), b = post(here, find_stream{"a"});
  consume_messages();
  CAF_CHECK(a.reply().stream == b.reply().stream);
  CAF_CHECK(find() == a.reply().stream);
  CAF_CHECK_EQUAL(a.reply().row.content_type, "audio/mpeg");
}

CAF_TEST(a stream is created and removed through the relay) {
  auto made = ask(here, open_stream{{"b", "text/plain"}}).reply();
  CAF_CHECK(made.created);
  append(made.stream, "abc");
  CAF_CHECK_EQUAL(content("b"), "abc");
  CAF_CHECK(!ask(here, open_stream{{"b", "text/plain"}}).reply().created);
  CAF_CHECK_EQUAL(ask(here, open_stream{{"b", "text/html"}}).code(), ec::conflict);
  CAF_CHECK_EQUAL(ask(here, remove_stream{"b"}).code(), ec::none);
  CAF_CHECK_EQUAL(ask(here, find_stream{"b"}).code(), ec::not_found);
  CAF_CHECK_EQUAL(ask(directory, find_stream{"b"}).code(), ec::not_found);
}

CAF_TEST(what the owner refuses is refused with its reason) {
  CAF_CHECK_EQUAL(ask(here, find_stream{"none"}).code(), ec::not_found);
  CAF_CHECK_EQUAL(ask(here, find_stream{"none"}).code(), ec::not_found); // asked again, each time
  open("later");
  CAF_CHECK_EQUAL(ask(here, find_stream{"later"}).code(), ec::none);
}

CAF_TEST(without an owner everything is unavailable at once) {
  open();
  auto relay = find();
  auto waits = read(relay, 0, 1 << 20, 30'000);
  lose_owner();
  CAF_CHECK_EQUAL(waits.code(), ec::unavailable);
  CAF_CHECK_EQUAL(ask(here, find_stream{"a"}).code(), ec::unavailable);
  CAF_CHECK_EQUAL(ask(here, open_stream{{"b", "text/plain"}}).code(), ec::unavailable);
  CAF_CHECK_EQUAL(ask(here, remove_stream{"a"}).code(), ec::unavailable);
  CAF_CHECK_EQUAL(relayed.relayed_streams.Value(), 0.0);
}

CAF_TEST(the first content of a stream counts as appends do while it is on its way) {
  const std::string large(900'000, 'x');
  auto a = post(here, open_stream{{.path = "b", .content_type = "text/plain", .first = payload{large}}});
  auto b = post(here, open_stream{{.path = "c", .content_type = "text/plain", .first = payload{large}}});
  consume_messages();
  CAF_CHECK_EQUAL(a.code(), ec::none);
  CAF_CHECK_EQUAL(b.code(), ec::busy);
  CAF_CHECK_EQUAL(ground.link->taken(), 0u);
  CAF_REQUIRE(ground.link->take(1 << 19));
  CAF_CHECK_EQUAL(ask(here, open_stream{{.path = "d", .content_type = "text/plain", .first = payload{large}}}).code(), ec::busy);
  CAF_CHECK_EQUAL(ask(here, open_stream{{"d", "text/plain"}}).code(), ec::none);
}

CAF_TEST(requests under way are answered when the owner goes) {
  open();
  auto asked = post(here, find_stream{"a"});
  consume_message();
  consume_message();
  lose_owner();
  CAF_CHECK(asked.here());
}

CAF_TEST(when the owner is back its streams go on at the exact byte) {
  auto there = open();
  append(there, "abc");
  auto relay = find();
  CAF_CHECK_EQUAL(bytes_of(read(relay, 0).reply(), 0), "abc");
  auto id = ask(here, find_stream{"a"}).reply().row.id;
  lose_owner();
  owner_is_back();
  auto found = ask(here, find_stream{"a"}).reply();
  CAF_CHECK_EQUAL(found.row.id, id);
  auto waits = read(found.stream, 3, 1 << 20, 30'000);
  append(found.stream, "def");
  CAF_CHECK_EQUAL(bytes_of(waits.reply(), 3), "def");
}

CAF_TEST(a stream that was removed and made anew meanwhile is another one) {
  auto there = open();
  append(there, "abc");
  auto relay = find();
  auto id = ask(here, find_stream{"a"}).reply().row.id;
  auto waits = read(relay, 3, 1 << 20, 30'000);
  ask(directory, remove_stream{"a"});
  CAF_CHECK_EQUAL(waits.code(), ec::unavailable);
  append(open(), "other sound");
  auto found = ask(here, find_stream{"a"}).reply();
  CAF_CHECK(found.stream != relay);
  CAF_CHECK(found.row.id != id); // by which whoever reads knows
  auto old = read(relay, 3);
  CAF_CHECK(old.code() != ec::none);
}

CAF_TEST(the tree shows what is relayed) {
  open();
  find();
  auto x = ask(here, describe_actor{}).reply();
  CAF_CHECK_EQUAL(x.name, "tenant default");
  CAF_REQUIRE_EQUAL(x.children.size(), 1u);
  CAF_CHECK_EQUAL(x.children[0].name, "a");
}

CAF_TEST_FIXTURE_SCOPE_END()
