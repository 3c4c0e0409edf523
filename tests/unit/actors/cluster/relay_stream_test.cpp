#define CAF_SUITE actors.cluster.relay_stream

#include "actors/cluster/relay_stream.hpp"

#include "tests/support/relay_fixture.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

CAF_TEST_FIXTURE_SCOPE(relay_stream_tests, relay_fixture)

CAF_TEST(a stream sounds the same through its relay) {
  auto there = open();
  append(there, "abc");
  append(there, "defg");
  auto relay = find();
  CAF_CHECK(relay != there);
  CAF_CHECK_EQUAL(bytes_of(read(relay, 0).reply(), 0), "abcdefg");
  CAF_CHECK_EQUAL(bytes_of(read(relay, 1).reply(), 1), "bcdefg");
  auto end = read(relay, 7).reply();
  CAF_CHECK(end.chunks.empty() && end.up_to_date() && !end.closed);
  CAF_CHECK_EQUAL(read(relay, 99).code(), ec::bad_offset);
  CAF_CHECK_EQUAL(ask(relay, inspect_stream{}).reply().row.tail, 7u);
  append(there, "", {}, true);
  CAF_CHECK(read(relay, 7).reply().closed);
  CAF_CHECK(ask(relay, inspect_stream{}).reply().row.closed);
}

CAF_TEST(three hundred listeners cost the owner one read for each chunk) {
  auto there = open();
  append(there, "0");
  auto relay = find();
  position at = 1;
  std::vector<awaited<chunk_batch>> listeners;
  for (int i = 0; i < 300; ++i)
    listeners.push_back(read(relay, at, 1 << 20, 30'000));
  auto before = relayed.relay_reads.Value();
  for (int chunk = 0; chunk < 20; ++chunk) {
    CAF_CHECK_EQUAL(parked(there), 1u);
    append(there, "sound");
    for (auto& x : listeners) {
      CAF_CHECK_EQUAL(bytes_of(x.reply(), at), "sound");
      x = read(relay, at + 5, 1 << 20, 30'000);
    }
    at += 5;
  }
  auto reads = relayed.relay_reads.Value() - before;
  CAF_CHECK(reads <= 22);
  CAF_CHECK_EQUAL(relayed.relayed_read.Value(), 100.0);
}

CAF_TEST(who comes late hears what is there at once while others wait for what comes) {
  auto there = open();
  append(there, "abc");
  auto relay = find();
  auto waits = read(relay, 3, 1 << 20, 30'000);
  auto late = read(relay, 0, 1 << 20, 30'000);
  CAF_CHECK_EQUAL(bytes_of(late.reply(), 0), "abc");
  CAF_CHECK(!waits.here());
}

CAF_TEST(who waits hears after the time they gave that nothing came) {
  auto there = open();
  append(there, "abc");
  auto relay = find();
  auto brief = read(relay, 3, 1 << 20, 1'000);
  auto patient = read(relay, 3, 1 << 20, 3'000);
  pass(1'100ms);
  CAF_CHECK(brief.reply().chunks.empty() && brief.reply().up_to_date());
  CAF_CHECK(!patient.here());
  pass(2s);
  CAF_CHECK(patient.reply().chunks.empty());
}

CAF_TEST(the end is not asked for while it is followed) {
  auto there = open();
  append(there, "abc");
  auto relay = find();
  auto waits = read(relay, 3, 1 << 20, 30'000);
  append(there, "def");
  auto again = read(relay, 6, 1 << 20, 30'000);
  auto before = relayed.relay_reads.Value();
  for (int i = 0; i < 50; ++i)
    CAF_CHECK_EQUAL(ask(relay, inspect_stream{}).reply().row.tail, 6u);
  CAF_CHECK_EQUAL(relayed.relay_reads.Value(), before);
}

CAF_TEST(a position beyond what is known of the end is for the owner to judge) {
  auto there = open();
  append(there, "abc");
  auto relay = find();
  auto waits = read(relay, 3, 1 << 20, 30'000);
  CAF_CHECK_EQUAL(ask(relay, inspect_stream{}).reply().row.tail, 3u);
  auto next = post(there, append_chunk{std::string{"def"}, {}, {}, {}, {}, false});
  while (!next.here() && consume_message()) { // it is durable there, and here they may not have heard of it
  }
  auto end = read(relay, 6).reply();
  CAF_CHECK(end.chunks.empty());
  CAF_CHECK_EQUAL(end.tail, 6u);
  CAF_CHECK_EQUAL(read(relay, 7).code(), ec::bad_offset);
}

CAF_TEST(replays of all streams together wait for room on the link and give it back) {
  for (auto name : {"a", "b", "c"})
    append(open(name), std::string{"sound of "} + name);
  std::vector<stream_actor> relays{find("a"), find("b"), find("c")};
  CAF_REQUIRE(ground.replays->take(1 << 20)); // somebody else's
  std::vector<awaited<chunk_batch>> readers;
  for (auto& relay : relays)
    readers.push_back(read(relay, 0));
  consume_messages();
  for (auto& x : readers)
    CAF_CHECK(!x.here());
  ground.replays->give(1 << 20);
  consume_messages();
  for (size_t i = 0; i < readers.size(); ++i)
    CAF_CHECK_EQUAL(bytes_of(readers[i].reply(), 0), std::string{"sound of "} + "abc"[i]);
  CAF_CHECK_EQUAL(ground.replays->taken(), 0u);
}

CAF_TEST(a closed stream that lives from being used is read at its owner) {
  ask(directory, open_stream{{.path = "b", .content_type = "text/plain", .ttl_s = 10, .close = true}});
  auto relay = find("b");
  for (int i = 0; i < 10; ++i) {
    pass(4s, 100ms);
    auto end = read(relay, 0);
    CAF_REQUIRE_EQUAL(end.code(), ec::none);
    CAF_CHECK(end.reply().closed);
  }
  pass(15s, 100ms);
  CAF_CHECK_EQUAL(ask(directory, find_stream{"b"}).code(), ec::not_found);
}

CAF_TEST(an append is passed on and acknowledged by the owner) {
  auto there = open();
  auto relay = find();
  CAF_CHECK_EQUAL(append(relay, "abc", {"p", 1, 0}).reply().next, 3u);
  auto again = append(relay, "abc", {"p", 1, 0}).reply();
  CAF_CHECK(again.duplicate);
  CAF_CHECK_EQUAL(append(relay, "x", {"p", 0, 0}).code(), ec::stale_producer);
  CAF_CHECK_EQUAL(append(relay, "x", {"p", 1, 7}).code(), ec::producer_gap);
  CAF_CHECK_EQUAL(content("a"), "abc");
  CAF_CHECK_EQUAL(ground.link->taken(), 0u);
  CAF_CHECK_EQUAL(relayed.relayed_append.Value(), 6.0);
}

CAF_TEST(what was appended here is read here) {
  auto there = open();
  auto relay = find();
  auto waits = read(relay, 0, 1 << 20, 30'000);
  for (int i = 0; i < 10; ++i) {
    auto next = append(relay, "abc").reply().next;
    auto end = read(relay, next).reply();
    CAF_CHECK(end.up_to_date());
    CAF_CHECK_EQUAL(ask(relay, inspect_stream{}).reply().row.tail, next);
  }
}

CAF_TEST(what was appended here is known here as soon as that is acknowledged) {
  auto end = std::make_shared<stream_row>();
  auto there = sys.spawn([end](stream_actor::pointer self) -> stream_actor::behavior_type {
    return {
        [end](const append_chunk& x) {
          end->tail += x.bytes.size();
          end->closed = x.close;
          return chunk_appended{end->tail, false, x.close, 0};
        },
        [self, end](const read_chunks& x) -> caf::result<chunk_batch> {
          if (x.wait_ms > 0) // its answer is on its way for long
            return self->make_response_promise<caf::typed_response_promise<chunk_batch>>();
          return chunk_batch{{}, x.after, end->tail, end->closed};
        },
        [end](const inspect_stream&) { return stream_loaded{*end}; },
        [](const describe_actor&) { return actor_description{}; },
    };
  });
  auto relay = sys.spawn(relay_stream, stream_opened{there, {}, false}, here, ground);
  auto waits = read(relay, 0, 1 << 20, 30'000);
  CAF_CHECK_EQUAL(ask(relay, inspect_stream{}).reply().row.tail, 0u);
  append(relay, "abc");
  CAF_CHECK_EQUAL(ask(relay, inspect_stream{}).reply().row.tail, 3u);
  CAF_CHECK_EQUAL(read(relay, 0).reply().tail, 3u);
  append(relay, "", {}, true);
  CAF_CHECK(ask(relay, inspect_stream{}).reply().row.closed);
  CAF_CHECK(read(relay, 3).reply().closed);
  kill(there);
}

CAF_TEST(a relay whose stream has died sends its readers back and the next one goes on at the exact byte) {
  auto there = open();
  append(there, "abc");
  auto relay = find();
  auto waits = read(relay, 3, 1 << 20, 30'000);
  kill(there);
  CAF_CHECK_EQUAL(waits.code(), ec::unavailable);
  auto next = find();
  CAF_CHECK(next != relay);
  waits = read(next, 3, 1 << 20, 30'000);
  append(next, "def");
  CAF_CHECK_EQUAL(bytes_of(waits.reply(), 3), "def");
}

CAF_TEST(an append whose answer is lost is unknown and not sent again) {
  auto there = open();
  auto relay = find();
  auto sent = post(relay, append_chunk{std::string{"abc"}, {}, {}, {"p", 1, 0}, {}, false});
  while (ground.link->taken() == 0 && consume_message()) {
  }
  kill(there); // whether it has sent it to the store by then, nobody here knows
  auto told = sent.code();
  CAF_CHECK(told == ec::unknown_outcome || told == ec::unavailable);
  CAF_CHECK_EQUAL(ground.link->taken(), 0u);
  auto again = append(find(), "abc", {"p", 1, 0}).reply(); // its producer finds out
  CAF_CHECK_EQUAL(again.next, 3u);
  CAF_CHECK_EQUAL(content("a"), "abc");
}

CAF_TEST(a relay that nobody uses leaves and who still holds it is sent back) {
  auto there = open();
  append(there, "abc");
  auto relay = find();
  CAF_CHECK_EQUAL(relayed.relayed_streams.Value(), 1.0);
  pass(61s, 100ms);
  auto told = read(relay, 0).code();
  CAF_CHECK(told == ec::moved || told == ec::unavailable);
  pass(3s);
  CAF_CHECK_EQUAL(relayed.relayed_streams.Value(), 0.0);
  CAF_CHECK_EQUAL(bytes_of(read(find(), 0).reply(), 0), "abc");
}

CAF_TEST(a stream that the owner has retired is found again) {
  auto there = open();
  append(there, "abc");
  auto relay = find();
  for (int i = 0; i < 14; ++i) { // it is used here, and at the owner after a minute no more
    pass(5s, 100ms);
    ask(relay, describe_actor{});
    if (auto answer = read(relay, 0); answer.code() == ec::moved || answer.code() == ec::unavailable)
      relay = find();
    else
      CAF_CHECK_EQUAL(bytes_of(answer.reply(), 0), "abc");
  }
  CAF_CHECK_EQUAL(bytes_of(read(relay, 0).reply(), 0), "abc");
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(more appends than may be on their way are refused and counted) {
  relay_fixture x{{.appends = 2, .append_bytes = 10}};
  auto there = x.open();
  auto relay = x.find();
  auto send = [&](const std::string& text) { return x.post(relay, append_chunk{text, {}, {}, {}, {}, false}); };
  auto a = send("aaaa"), b = send("bbbb"), c = send("cccc");
  x.consume_messages();
  CAF_CHECK_EQUAL(a.code(), ec::none);
  CAF_CHECK_EQUAL(b.code(), ec::none);
  CAF_CHECK(c.code() == ec::busy || c.code() == ec::none);
  auto large = send("a text of more than ten bytes"), small = send("x");
  x.consume_messages();
  CAF_CHECK_EQUAL(large.code(), ec::none); // it travels alone
  CAF_CHECK_EQUAL(x.ground.link->taken(), 0u);
}

CAF_TEST(more readers than may wait are refused) {
  relay_fixture x{{.readers = 3}};
  auto there = x.open();
  x.append(there, "abc");
  auto relay = x.find();
  std::vector<awaited<chunk_batch>> all;
  for (int i = 0; i < 4; ++i)
    all.push_back(x.read(relay, 3, 1 << 20, 30'000));
  CAF_CHECK_EQUAL(all[3].code(), ec::busy);
  x.append(there, "def");
  for (int i = 0; i < 3; ++i)
    CAF_CHECK_EQUAL(x.bytes_of(all[static_cast<size_t>(i)].reply(), 3), "def");
}
