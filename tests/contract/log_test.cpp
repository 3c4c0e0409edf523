// Streams, their directory and the store host over every engine: what readers and producers may rely on.
#define CAF_SUITE contract.log

#include <numeric>

#include "tests/support/actor_fixture.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

/// Runs `test` with a directory over each engine.
template <class Test>
void over_each(Test test, stream_options options = {}) {
  for_each_chunk_store([&](chunk_store_engine& engine) {
    actor_fixture x{engine.get(), options};
    test(x);
  });
}

append_chunk json(const std::vector<std::string>& messages) {
  append_chunk x{std::accumulate(messages.begin(), messages.end(), std::string{}), {}, {}, {}, {}, false};
  for (const auto& text : messages)
    x.lengths.push_back(static_cast<uint32_t>(text.size()));
  return x;
}

} // namespace

CAF_TEST(an append is readable and acknowledged once it is durable and not before) {
  over_each([](actor_fixture& x) {
    auto stream = x.open();
    auto reader = x.read(stream, 0, 100, 1000);
    auto before = x.store->commits();
    auto done = x.post(stream, append_chunk{std::string{"abc"}, {}, {}, {}, {}, false});
    while (x.store->commits() == before && x.consume_message())
      CAF_CHECK(!done.here() && !reader.here());
    auto early = x.read(stream, 0); // lets the rest happen
    CAF_CHECK_EQUAL(done.reply().next, 3u);
    CAF_CHECK(!done.reply().duplicate && !done.reply().closed);
    CAF_CHECK_EQUAL(x.bytes_of(reader.reply(), 0), "abc");
    CAF_CHECK_EQUAL(x.store->commits(), before + 1);
    CAF_CHECK_EQUAL(x.content("a"), "abc");
  });
}

CAF_TEST(appends of many streams become durable together) {
  over_each([](actor_fixture& x) {
    std::vector<stream_actor> streams;
    for (auto path : {"a", "b", "c", "d", "e", "f"})
      streams.push_back(x.open(path));
    auto before = x.store->commits();
    for (int round = 0; round < 5; ++round)
      for (const auto& stream : streams)
        x.post(stream, append_chunk{std::string{"x"}, {}, {}, {}, {}, false});
    x.consume_messages();
    CAF_CHECK_LESS(x.store->commits() - before, 10u);
    for (auto path : {"a", "b", "c", "d", "e", "f"})
      CAF_CHECK_EQUAL(x.content(path), "xxxxx");
  });
}

CAF_TEST(a repetition of a pending append waits for it and is stored once) {
  over_each([](actor_fixture& x) {
    auto stream = x.open();
    append_chunk append{std::string{"abc"}, {}, {}, {"p", 0, 0}, {}, false};
    auto first = x.post(stream, append);
    auto second = x.post(stream, append);
    auto before = x.store->commits();
    while (x.store->commits() == before && x.consume_message())
      CAF_CHECK(!first.here() && !second.here());
    x.consume_messages();
    CAF_CHECK(!first.reply().duplicate);
    CAF_CHECK(second.reply().duplicate);
    CAF_CHECK_EQUAL(second.reply().next, 3u);
    CAF_CHECK(x.ask(stream, append).reply().duplicate);
    CAF_CHECK_EQUAL(x.content("a"), "abc");
  });
}

CAF_TEST(producers are judged and a newer epoch fences the older ones) {
  over_each([](actor_fixture& x) {
    auto stream = x.open();
    CAF_CHECK_EQUAL(x.append(stream, "a", {"p", 1, 0}).code(), ec::none);
    CAF_CHECK_EQUAL(x.append(stream, "c", {"p", 1, 2}).code(), ec::producer_gap);
    CAF_CHECK_EQUAL(x.append(stream, "b", {"p", 1, 1}).code(), ec::none);
    CAF_CHECK_EQUAL(x.append(stream, "x", {"p", 2, 1}).code(), ec::invalid_argument);
    CAF_CHECK_EQUAL(x.append(stream, "c", {"p", 2, 0}).code(), ec::none);
    CAF_CHECK_EQUAL(x.append(stream, "z", {"p", 1, 2}).code(), ec::stale_producer);
    x.kill(stream); // the next one knows as much
    stream = x.open();
    CAF_CHECK_EQUAL(x.append(stream, "z", {"p", 1, 2}).code(), ec::stale_producer);
    CAF_CHECK(x.append(stream, "c", {"p", 2, 0}).reply().duplicate);
    CAF_CHECK_EQUAL(x.append(stream, "d", {"p", 2, 1}).code(), ec::none);
    CAF_CHECK_EQUAL(x.content("a"), "abcd");
  });
}

CAF_TEST(readers at the tail are woken by data and by the end) {
  over_each([](actor_fixture& x) {
    auto stream = x.open();
    auto first = x.read(stream, 0, 100, 1000);
    auto second = x.read(stream, 0, 100, 1000);
    CAF_CHECK(!first.here() && !second.here());
    CAF_CHECK_EQUAL(x.counters.readers_parked.Value(), 2);
    x.append(stream, "abc");
    CAF_CHECK_EQUAL(x.bytes_of(first.reply(), 0), "abc");
    CAF_CHECK_EQUAL(x.bytes_of(second.reply(), 0), "abc");
    CAF_CHECK(!first.reply().closed);
    auto last = x.read(stream, 3, 100, 1000);
    x.append(stream, "", {}, true);
    CAF_CHECK(last.reply().chunks.empty() && last.reply().closed);
    CAF_CHECK_EQUAL(last.reply().tail, 3u);
    CAF_CHECK_EQUAL(x.counters.readers_parked.Value(), 0);
  });
}

CAF_TEST(a reader at the tail is answered when its time is over) {
  over_each([](actor_fixture& x) {
    auto stream = x.open();
    auto reader = x.read(stream, 0, 100, 1000);
    x.pass(990ms);
    CAF_CHECK(!reader.here());
    x.pass(20ms);
    CAF_CHECK(reader.reply().chunks.empty() && !reader.reply().closed);
    auto later = x.read(stream, 0, 100, 1000);
    x.pass(500ms);
    auto last = x.read(stream, 0, 100, 1000);
    x.pass(510ms);
    CAF_CHECK(later.here() && !last.here());
    x.pass(500ms);
    CAF_CHECK(last.here());
    CAF_CHECK(x.read(stream, 0).here()); // not waiting at all
  });
}

CAF_TEST(a reader that waits briefly is not kept by one that waits long) {
  over_each([](actor_fixture& x) {
    auto stream = x.open();
    auto patient = x.read(stream, 0, 100, 30'000);
    auto hasty = x.read(stream, 0, 100, 500);
    x.pass(510ms);
    CAF_CHECK(hasty.here());
    CAF_CHECK(!patient.here());
    x.pass(30s, 100ms);
    CAF_CHECK(patient.here() && hasty.here());
  });
}

CAF_TEST(an idle stream retires and its successor appends under a higher owner epoch) {
  over_each([](actor_fixture& x) {
    auto first = x.ask(x.directory, open_stream{"a", "audio/mpeg"}).reply();
    x.append(first.stream, "abc");
    x.pass(30s, 1s);
    CAF_CHECK_EQUAL(x.read(first.stream, 0).code(), ec::none); // in use
    x.pass(50s, 1s);
    CAF_CHECK_EQUAL(x.counters.streams_live.Value(), 1);
    x.pass(15s, 1s);
    CAF_CHECK_EQUAL(x.counters.streams_live.Value(), 0);
    CAF_CHECK_EQUAL(x.append(first.stream, "late").code(), ec::unavailable);
    auto next = x.ask(x.directory, find_stream{"a"}).reply();
    CAF_CHECK_EQUAL(next.row.owner_epoch, first.row.owner_epoch); // finding and reading need no claim
    CAF_CHECK_EQUAL(x.append(next.stream, "def").reply().next, 6u);
    auto row = x.store->load_row("a").value_or(stream_row{});
    CAF_CHECK_GREATER(row.owner_epoch, first.row.owner_epoch);
    CAF_CHECK_EQUAL(x.content("a"), "abcdef");
  });
}

CAF_TEST(removing a stream answers its parked readers and deletes it) {
  over_each([](actor_fixture& x) {
    auto stream = x.open();
    x.append(stream, "abc");
    auto reader = x.read(stream, 3, 100, 30'000);
    auto removed = x.post(x.directory, remove_stream{"a"});
    auto meanwhile = x.post(x.directory, find_stream{"a"});
    x.consume_messages();
    CAF_CHECK_EQUAL(removed.code(), ec::none);
    CAF_CHECK_EQUAL(reader.code(), ec::unavailable);
    CAF_CHECK_EQUAL(meanwhile.code(), ec::not_found);
    CAF_CHECK(!x.store->load_row("a"));
    CAF_CHECK_EQUAL(x.counters.readers_parked.Value(), 0);
    CAF_CHECK_EQUAL(x.ask(x.directory, remove_stream{"a"}).code(), ec::none);
    x.open();
    CAF_CHECK_EQUAL(x.content("a"), "");
  });
}

CAF_TEST(a closed stream refuses appends and recognises what closed it) {
  over_each([](actor_fixture& x) {
    auto stream = x.open();
    auto closed = x.append(stream, "abc", {"p", 0, 0}, true).reply();
    CAF_CHECK(closed.closed && !closed.duplicate);
    for (int round = 0; round < 2; ++round) {
      CAF_CHECK_EQUAL(x.append(stream, "more").code(), ec::closed);
      CAF_CHECK_EQUAL(x.append(stream, "more", {"p", 0, 1}).code(), ec::closed);
      CAF_CHECK_EQUAL(x.append(stream, "", {}, true).code(), ec::none); // it is closed, as wished
      auto again = x.append(stream, "abc", {"p", 0, 0}, true).reply();
      CAF_CHECK(again.duplicate && again.closed);
      CAF_CHECK_EQUAL(again.next, 3u);
      CAF_CHECK(x.read(stream, 3, 100, 30'000).reply().closed); // nothing to wait for
      x.kill(stream);
      stream = x.open();
    }
    CAF_CHECK_EQUAL(x.content("a"), "abc");
  });
}

CAF_TEST(beyond its bounds a stream is busy and later it is not) {
  stream_options options;
  options.pending_bytes = 10;
  options.parked_readers = 2;
  over_each([](actor_fixture& x) {
    auto stream = x.open();
    auto wish = [](size_t size) { return append_chunk{std::string(size, 'x'), {}, {}, {}, {}, false}; };
    auto first = x.post(stream, wish(6));
    auto second = x.post(stream, wish(6));
    auto third = x.post(stream, wish(4));
    x.consume_messages();
    CAF_CHECK_EQUAL(first.code(), ec::none);
    CAF_CHECK_EQUAL(second.code(), ec::busy);
    CAF_CHECK_EQUAL(third.code(), ec::none);
    CAF_CHECK_EQUAL(x.ask(stream, wish(50)).code(), ec::none); // one alone may be larger
    auto one = x.read(stream, 60, 100, 1000);
    auto two = x.read(stream, 60, 100, 1000);
    CAF_CHECK_EQUAL(x.read(stream, 60, 100, 1000).code(), ec::busy);
    CAF_CHECK_EQUAL(x.read(stream, 0).code(), ec::none);
    x.pass(1010ms);
    CAF_CHECK(one.here() && two.here());
    CAF_CHECK(!x.read(stream, 60, 100, 1000).here());
  }, options);
}

CAF_TEST(a reader behind the ring gets the same bytes from the store) {
  stream_options options;
  options.ring_bytes = 16;
  over_each([](actor_fixture& x) {
    auto stream = x.open();
    std::string all;
    for (int i = 0; i < 20; ++i) {
      std::string record(1 + static_cast<size_t>(i * 5 % 9), static_cast<char>('a' + i));
      all += record;
      x.append(stream, record);
    }
    for (uint64_t limit : {1, 7, 16, 30, 1000})
      CAF_CHECK_EQUAL(x.content("a", limit), all);
    CAF_CHECK_GREATER(x.counters.reads_store.Value(), 20);
    CAF_CHECK_GREATER(x.counters.reads_ring.Value(), 5);
    for (position at = 0; at < all.size(); ++at) // also in the middle of a record
      CAF_CHECK_EQUAL(x.bytes_of(x.read(stream, at, 1000).reply(), at).substr(0, 1), all.substr(at, 1));
    CAF_CHECK_EQUAL(x.read(stream, all.size() + 1).code(), ec::bad_offset);
  }, options);
}

CAF_TEST(in a stream of messages only their boundaries are offsets) {
  for (size_t ring : {1, 1000}) {
    stream_options options;
    options.ring_bytes = ring; // served by the store, then from memory
    over_each([](actor_fixture& x) {
      auto stream = x.open("a", "application/json");
      x.ask(stream, json({"[1]", "22"}));
      x.ask(stream, json({"333", "4"}));
      for (position inside : {1, 2, 4, 6, 7})
        CAF_CHECK_EQUAL(x.read(stream, inside).code(), ec::bad_offset);
      CAF_CHECK_EQUAL(x.bytes_of(x.read(stream, 3).reply(), 3).substr(0, 2), "22");
      auto cut = x.read(stream, 3, 1).reply();
      CAF_CHECK_EQUAL(cut.chunks.size(), 1u);
      CAF_CHECK_EQUAL(cut.chunks.front().lengths, (std::vector<uint32_t>{2}));
      CAF_CHECK_EQUAL(x.bytes_of(x.read(stream, 8).reply(), 8), "4");
      CAF_CHECK_EQUAL(x.content("a", 1), "[1]223334");
    }, options);
  }
}

CAF_TEST(a stream has one type and its paths are its own) {
  over_each([](actor_fixture& x) {
    auto stream = x.open("a", "audio/mpeg");
    CAF_CHECK_EQUAL(x.ask(x.directory, open_stream{"a", "text/plain"}).code(), ec::conflict);
    CAF_CHECK_EQUAL(x.ask(x.directory, find_stream{"a/b"}).code(), ec::not_found);
    append_chunk note{std::string{"x"}, {}, "text/plain", {}, {}, false};
    CAF_CHECK_EQUAL(x.ask(stream, note).code(), ec::wrong_type);
    note.content_type = "audio/mpeg";
    note.stream_seq = "2";
    CAF_CHECK_EQUAL(x.ask(stream, note).code(), ec::none);
    note.stream_seq = "10"; // compared as texts
    CAF_CHECK_EQUAL(x.ask(stream, note).code(), ec::conflict);
    CAF_CHECK_EQUAL(x.append(stream, "").code(), ec::invalid_argument);
    CAF_CHECK_EQUAL(x.content("a"), "x");
  });
}
