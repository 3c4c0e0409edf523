// Streams that expire, and forks, as actors over every engine and a virtual clock.
#define CAF_SUITE contract.log_expiry

#include <random>

#include "tests/support/actor_fixture.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

open_stream with_ttl(const std::string& path, int64_t ttl_s, const std::string& first = {}) {
  open_stream x{path, "text/plain"};
  x.wish.ttl_s = ttl_s;
  x.wish.first = payload{first};
  return x;
}

open_stream fork_of(const std::string& parent, const std::string& path, position at = at_tail) {
  open_stream x{path, "text/plain"};
  x.wish.forked_from = parent;
  x.wish.fork_position = at;
  return x;
}

ec found(actor_fixture& x, const std::string& path) { return x.ask(x.directory, find_stream{path}).code(); }

} // namespace

CAF_TEST(a stream that nobody uses expires and is gone from the store) {
  for_each_chunk_store([](chunk_store_engine& engine) {
    actor_fixture x{engine.get()};
    auto stream = x.ask(x.directory, with_ttl("a", 10, "abc")).reply().stream;
    x.pass(9s, 1s);
    CAF_CHECK_EQUAL(x.content("a"), "abc"); // a use
    x.pass(9s, 1s);
    CAF_CHECK(x.store->load_row("a").has_value());
    x.pass(2s, 1s);
    CAF_CHECK(!x.store->load_row("a"));
    CAF_CHECK_EQUAL(found(x, "a"), ec::not_found);
    CAF_CHECK(x.ask(x.directory, with_ttl("a", 10)).reply().created);
  });
}

CAF_TEST(reading and appending and waiting are uses and looking is none) {
  actor_fixture x{chunk_store_engine{"memory:"}.get()};
  auto stream = x.ask(x.directory, with_ttl("a", 10, "abc")).reply().stream;
  x.pass(8s, 1s);
  x.append(stream, "d");
  x.pass(8s, 1s);
  for (int i = 0; i < 6; ++i) { // who waits is answered after half the time, so that who has left does not count for long
    auto waiting = x.ask(stream, read_chunks{4, 100, 25'000});
    x.pass(5s, 1s);
    CAF_CHECK(waiting.here());
  }
  for (int i = 0; i < 9; ++i) {
    CAF_CHECK_EQUAL(x.ask(stream, inspect_stream{}).code(), ec::none);
    x.pass(1s, 1s);
  }
  x.pass(1s, 1s);
  CAF_CHECK_EQUAL(found(x, "a"), ec::not_found);
}

CAF_TEST(who still knows an expired stream is sent back and told that it is gone) {
  actor_fixture x{chunk_store_engine{"memory:"}.get()};
  auto stream = x.ask(x.directory, with_ttl("a", 10, "abc")).reply().stream;
  x.advance_time(10s); // nobody has moved yet
  auto read = x.post(stream, read_chunks{0, 100, 0});
  auto find = x.post(x.directory, find_stream{"a"});
  x.consume_messages();
  CAF_CHECK_EQUAL(read.code(), ec::moved);
  CAF_CHECK_EQUAL(found(x, "a"), ec::not_found);
  CAF_CHECK(find.here());
}

CAF_TEST(an append that meets the end of its stream is asked again and finds it gone) {
  for (bool owned : {false, true})
    for (size_t at = 0; at < 16; ++at) {
      stream_options options;
      options.idle = 2h;
      actor_fixture x{chunk_store_engine{"memory:"}.get(), options};
      auto wish = open_stream{"a", "text/plain"};
      wish.wish.expires_at_ms = unix_now_ms() + 3'600'000;
      x.ask(x.directory, wish);
      x.kill_all();
      x.start(options);
      auto stream = x.ask(x.directory, find_stream{"a"}).reply().stream;
      if (owned)
        x.append(stream, "abc");
      x.advance_time(3'599'990ms);
      x.consume_messages();
      auto late = x.post(stream, append_chunk{payload{std::string{"def"}}, {}, {}, {}, {}, false});
      for (size_t i = 0; i < at; ++i)
        x.consume_message();
      x.pass(10s, 1s);
      CAF_CHECK(late.code() == ec::none || has_retired(late.error()));
      CAF_CHECK_EQUAL(found(x, "a"), ec::not_found);
    }
}

CAF_TEST(an idle stream leaves memory and still expires in time) {
  for_each_chunk_store([](chunk_store_engine& engine) {
    stream_options options;
    options.idle = 5s;
    actor_fixture x{engine.get(), options};
    x.ask(x.directory, with_ttl("a", 30, "abc"));
    x.pass(12s, 1s);
    CAF_CHECK_EQUAL(x.counters.streams_live.Value(), 0);
    x.pass(16s, 1s);
    CAF_CHECK(x.store->load_row("a").has_value());
    x.pass(4s, 1s);
    CAF_CHECK(!x.store->load_row("a"));
  });
}

CAF_TEST(after a restart a stream has its whole time again and goes though nobody asks for it) {
  for_each_chunk_store([](chunk_store_engine& engine) {
    actor_fixture x{engine.get()};
    x.ask(x.directory, with_ttl("a", 10, "abc"));
    x.pass(9s, 1s);
    x.kill_all();
    x.start();
    x.pass(9s, 1s);
    CAF_CHECK(x.store->load_row("a").has_value());
    x.pass(2s, 1s);
    CAF_CHECK(!x.store->load_row("a"));
  });
}

CAF_TEST(a stream that cannot be removed just now goes later) {
  actor_fixture x{chunk_store_engine{"memory:"}.get()};
  x.ask(x.directory, with_ttl("a", 10, "abc"));
  x.store->fail_commits(fault::before_write, 1, 0);
  x.pass(11s, 1s);
  x.store->heal();
  x.pass(2min, 1s);
  CAF_CHECK(!x.store->load_row("a"));
}

CAF_TEST(a stream that could not be removed when somebody wished it expires all the same) {
  for (bool live : {true, false}) {
    stream_options options;
    options.idle = live ? 1h : 5s;
    actor_fixture x{chunk_store_engine{"memory:"}.get(), options};
    x.ask(x.directory, with_ttl("a", 30, "abc"));
    x.pass(12s, 1s);
    x.store->fail_commits(fault::before_write);
    CAF_CHECK_NOT_EQUAL(x.ask(x.directory, remove_stream{"a"}).code(), ec::none);
    CAF_CHECK(x.store->load_row("a").has_value());
    x.pass(2min, 1s);
    CAF_CHECK(!x.store->load_row("a"));
  }
}

CAF_TEST(a stream whose time is over is not found again though it could not be removed) {
  actor_fixture x{chunk_store_engine{"memory:"}.get()};
  x.ask(x.directory, with_ttl("a", 10, "abc"));
  x.store->fail_commits(fault::before_write, 1, 0);
  x.pass(11s, 1s);
  CAF_CHECK(x.store->load_row("a").has_value());
  x.store->fail_commits(fault::before_write, 1, 0);
  CAF_CHECK_NOT_EQUAL(found(x, "a"), ec::none);
  CAF_CHECK_EQUAL(x.store->faults(), 2u);
  CAF_CHECK_EQUAL(found(x, "a"), ec::not_found);
  CAF_CHECK(!x.store->load_row("a"));
}

CAF_TEST(a stream whose time is over while somebody cannot read it expires) {
  stream_options options;
  options.idle = 5s;
  actor_fixture x{chunk_store_engine{"memory:"}.get(), options};
  x.ask(x.directory, with_ttl("a", 30, "abc"));
  x.pass(29s, 1s);
  x.store->fail_reads(true);
  auto find = x.post(x.directory, find_stream{"a"});
  x.consume_message();
  x.consume_message(); // it is being opened
  x.advance_time(10s);
  x.consume_messages();
  CAF_CHECK_NOT_EQUAL(find.code(), ec::none);
  x.store->fail_reads(false);
  CAF_CHECK(x.store->load_row("a").has_value());
  x.pass(1min, 1s);
  CAF_CHECK(!x.store->load_row("a"));
}

CAF_TEST(a fork reads its parent and then itself and is kept when the parent goes) {
  for_each_chunk_store([](chunk_store_engine& engine) {
    actor_fixture x{engine.get()};
    auto parent = x.open("a", "text/plain");
    x.append(parent, "abc");
    x.append(parent, "def");
    auto fork = x.ask(x.directory, fork_of("a", "b", 4)).reply();
    CAF_CHECK_EQUAL(fork.row.tail, 4u);
    x.append(fork.stream, "XY");
    x.append(parent, "ghi");
    CAF_CHECK_EQUAL(x.content("b"), "abcdXY");
    CAF_CHECK_EQUAL(x.content("b", 1), "abcdXY");
    x.ask(x.directory, fork_of("b", "c", 5));
    CAF_CHECK_EQUAL(x.content("c", 2), "abcdX");
    CAF_CHECK_EQUAL(x.ask(x.directory, remove_stream{"a"}).code(), ec::none);
    CAF_CHECK_EQUAL(found(x, "a"), ec::gone);
    CAF_CHECK_EQUAL(x.ask(x.directory, open_stream{"a", "text/plain"}).code(), ec::conflict);
    CAF_CHECK_EQUAL(x.ask(x.directory, fork_of("a", "d")).code(), ec::conflict);
    x.ask(x.directory, remove_stream{"b"});
    CAF_CHECK_EQUAL(found(x, "b"), ec::gone);
    x.kill_all();
    x.start();
    CAF_CHECK_EQUAL(x.content("c"), "abcdX");
    x.ask(x.directory, remove_stream{"c"});
    for (auto path : {"a", "b", "c"})
      CAF_CHECK_EQUAL(found(x, path), ec::not_found);
  });
}

CAF_TEST(what cannot be forked is refused and the next in line fares better) {
  actor_fixture x{chunk_store_engine{"memory:"}.get()};
  x.append(x.open("a", "text/plain"), "abc");
  x.open("sound", "audio/mpeg");
  auto lost = x.post(x.directory, fork_of("nowhere", "b"));
  auto far = x.post(x.directory, fork_of("a", "b", 4));
  auto typed = x.post(x.directory, fork_of("sound", "b"));
  auto good = x.post(x.directory, fork_of("a", "b", 3));
  x.consume_messages();
  CAF_CHECK_EQUAL(lost.code(), ec::not_found);
  CAF_CHECK_EQUAL(far.code(), ec::bad_offset);
  CAF_CHECK_EQUAL(typed.code(), ec::conflict);
  CAF_CHECK_EQUAL(good.code(), ec::none);
  CAF_CHECK_EQUAL(x.content("b"), "abc");
}

CAF_TEST(any split of the same bytes into appends and forks reads back the same) {
  std::mt19937 dice{5};
  auto below = [&](size_t bound) { return std::uniform_int_distribution<size_t>{0, bound - 1}(dice); };
  std::string bytes(5'000, '\0');
  for (auto& c : bytes)
    c = static_cast<char>(below(256));
  for_each_chunk_store([&](chunk_store_engine& engine) {
    actor_fixture x{engine.get()};
    for (int round = 0; round < 12; ++round) {
      auto path = "s" + std::to_string(round) + ".0";
      auto stream = x.open(path, "text/plain");
      int forks = 0;
      for (size_t at = 0; at < bytes.size();) {
        auto size = std::min(1 + below(below(4) == 0 ? 1'500 : 40), bytes.size() - at);
        x.append(stream, bytes.substr(at, size));
        at += size;
        if (below(40) != 0)
          continue;
        at = below(at + 1); // the rest is appended again, behind a fork that begins there
        auto next = "s" + std::to_string(round) + "." + std::to_string(++forks);
        stream = x.ask(x.directory, fork_of(path, next, at)).reply().stream;
        path = next;
        if (below(2) == 0)
          x.append(x.ask(x.directory, find_stream{"s" + std::to_string(round) + ".0"}).reply().stream, "somebody else's");
        if (forks > 6)
          break;
      }
      auto tail = x.ask(stream, inspect_stream{}).reply().row.tail;
      CAF_CHECK(x.content(path, 1 + below(3'000)) == bytes.substr(0, tail));
    }
  });
}
