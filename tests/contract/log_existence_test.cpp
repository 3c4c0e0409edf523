// Beginning and end of streams when several things happen at once.
#define CAF_SUITE contract.log_existence

#include <random>

#include "tests/support/actor_fixture.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

append_chunk text(const std::string& bytes) { return {bytes, {}, {}, {}, {}, false}; }

} // namespace

CAF_TEST(two who open the same stream at once get the same one) {
  for_each_chunk_store([](chunk_store_engine& engine) {
    actor_fixture x{engine.get()};
    auto first = x.post(x.directory, open_stream{"a", "audio/mpeg"});
    auto found = x.post(x.directory, find_stream{"a"});
    auto other = x.post(x.directory, open_stream{"a", "text/plain"});
    auto second = x.post(x.directory, open_stream{"a", "audio/mpeg"});
    x.consume_messages();
    CAF_CHECK(first.reply().stream == second.reply().stream);
    CAF_CHECK(first.reply().stream == found.reply().stream);
    CAF_CHECK_EQUAL(other.code(), ec::conflict);
    CAF_CHECK_EQUAL(x.counters.streams_live.Value(), 1);
  });
}

CAF_TEST(who opens while a find is under way gets a new stream) {
  for_each_chunk_store([](chunk_store_engine& engine) {
    actor_fixture x{engine.get()};
    auto found = x.post(x.directory, find_stream{"a"});
    auto opened = x.post(x.directory, open_stream{"a", "audio/mpeg"});
    x.consume_messages();
    CAF_CHECK_EQUAL(found.code(), ec::not_found);
    CAF_CHECK_EQUAL(opened.code(), ec::none);
  });
}

CAF_TEST(an append that meets a retirement is stored and acknowledged or neither) {
  for (size_t at = 0; at < 12; ++at) {
    chunk_store_engine engine{"memory:"};
    actor_fixture x{engine.get()};
    auto stream = x.open();
    x.append(stream, "abc");
    x.pass(59s, 1s);
    x.advance_time(1010ms); // it is time to retire, and nobody has moved yet
    for (size_t i = 0; i < at; ++i)
      x.consume_message();
    auto late = x.post(stream, text("def"));
    x.pass(1s);
    CAF_CHECK(late.code() == ec::none || late.code() == ec::moved || late.code() == ec::unavailable);
    auto stored = late.code() == ec::none ? "abcdef" : "abc";
    CAF_CHECK_EQUAL(x.content("a"), stored);
    x.append(x.open(), "g");
    CAF_CHECK_EQUAL(x.content("a"), std::string{stored} + "g");
  }
}

CAF_TEST(an append that meets a removal is acknowledged or asked again) {
  for (bool owned : {false, true})
    for (size_t at = 0; at < 12; ++at) {
      actor_fixture x{chunk_store_engine{"memory:"}.get()};
      x.open();
      x.kill_all();
      x.start();
      auto stream = x.ask(x.directory, find_stream{"a"}).reply().stream;
      if (owned)
        x.append(stream, "abc");
      auto late = x.post(stream, text("def"));
      for (size_t i = 0; i < at; ++i)
        x.consume_message();
      auto removed = x.post(x.directory, remove_stream{"a"});
      x.pass(1s);
      CAF_CHECK_EQUAL(removed.code(), ec::none);
      CAF_CHECK(late.code() == ec::none || has_retired(late.error()));
      CAF_CHECK_EQUAL(x.ask(x.directory, find_stream{"a"}).code(), ec::not_found);
    }
}

CAF_TEST(a find during a retirement gets the successor) {
  for (size_t at = 0; at < 12; ++at) {
    chunk_store_engine engine{"memory:"};
    actor_fixture x{engine.get()};
    x.append(x.open(), "abc");
    x.pass(59s, 1s);
    x.advance_time(1010ms);
    for (size_t i = 0; i < at; ++i)
      x.consume_message();
    auto found = x.post(x.directory, find_stream{"a"});
    x.consume_messages();
    auto code = x.append(found.reply().stream, "def").code();
    if (code != ec::none) // it was given out before it asked to go
      CAF_CHECK(code == ec::moved || code == ec::unavailable);
    CAF_CHECK_EQUAL(x.content("a"), code == ec::none ? "abcdef" : "abc");
  }
}

CAF_TEST(however long a store needs nobody finds what it still removes and what it creates expires) {
  for (size_t at = 0; at < 12; ++at) {
    chunk_store_engine engine{"memory:"};
    actor_fixture x{engine.get()};
    auto late = [&](auto request) {
      auto answer = x.post(x.directory, request);
      for (size_t i = 0; i < at; ++i)
        x.consume_message();
      x.advance_time(35s);
      return answer;
    };
    x.open();
    auto removed = late(remove_stream{"a"});
    auto found = x.ask(x.directory, find_stream{"a"});
    CAF_CHECK_EQUAL(removed.code(), ec::none);
    CAF_CHECK_EQUAL(found.code(), ec::not_found);
    auto created = late(open_stream{{.path = "a", .content_type = "text/plain", .ttl_s = 100}});
    x.consume_messages();
    CAF_CHECK_EQUAL(created.code(), ec::none);
    x.pass(2min, 1s);
    CAF_CHECK(!x.store->load_row("a"));
  }
}

CAF_TEST(a stream that hears late that it may retire does so) {
  for (size_t at = 0; at < 12; ++at) {
    chunk_store_engine engine{"memory:"};
    actor_fixture x{engine.get()};
    x.open();
    x.pass(59s, 1s);
    x.advance_time(1010ms);
    for (size_t i = 0; i < at; ++i)
      x.consume_message();
    x.advance_time(35s);
    x.consume_messages();
    CAF_CHECK_EQUAL(x.counters.streams_live.Value(), 0);
    CAF_CHECK(x.ask(x.directory, find_stream{"a"}).here());
  }
}

CAF_TEST(more requests than may wait for a stream are refused) {
  stream_options options;
  options.parked_readers = 1;
  actor_fixture x{chunk_store_engine{"memory:"}.get(), options};
  auto opened = x.post(x.directory, open_stream{"a", "audio/mpeg"});
  auto found = x.post(x.directory, find_stream{"a"});
  auto removed = x.post(x.directory, remove_stream{"a"});
  x.consume_messages();
  CAF_CHECK_EQUAL(opened.code(), ec::none);
  CAF_CHECK_EQUAL(found.code(), ec::busy);
  CAF_CHECK_EQUAL(removed.code(), ec::busy);
  CAF_CHECK_EQUAL(x.counters.reads_refused.Value(), 2);
  CAF_CHECK_EQUAL(x.ask(x.directory, remove_stream{"a"}).code(), ec::none);
}

CAF_TEST(whatever is asked at once everybody is answered and directory and store agree) {
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    chunk_store_engine engine{"memory:"};
    actor_fixture x{engine.get()};
    std::mt19937 dice{seed};
    auto below = [&](size_t bound) { return std::uniform_int_distribution<size_t>{0, bound - 1}(dice); };
    std::vector<std::function<bool()>> asked;
    auto note = [&](auto answer) { asked.push_back([answer] { return answer.here(); }); };
    std::vector<stream_actor> seen;
    for (int round = 0; round < 60; ++round) {
      auto path = below(2) == 0 ? "a" : "b";
      switch (below(6)) {
        case 0:
        case 1: {
          auto opened = x.post(x.directory, open_stream{path, "audio/mpeg"});
          if (below(2) == 0)
            x.consume_messages();
          if (opened.here() && opened.code() == ec::none)
            seen.push_back(opened.reply().stream);
          note(opened);
          break;
        }
        case 2:
          note(x.post(x.directory, find_stream{path}));
          break;
        case 3:
          note(x.post(x.directory, remove_stream{path}));
          break;
        case 4:
          if (!seen.empty())
            note(x.post(seen[below(seen.size())], text("x")));
          break;
        case 5:
          if (!seen.empty())
            caf::anon_send_exit(seen[below(seen.size())], caf::exit_reason::kill);
          break;
      }
      if (below(4) == 0)
        x.store->fail_commits(below(2) == 0 ? fault::before_write : fault::after_write, 1, below(3));
      for (auto n = below(12); n > 0; --n)
        x.consume_message();
    }
    x.store->heal();
    x.pass(2s);
    auto answered = std::count_if(asked.begin(), asked.end(), [](auto& here) { return here(); });
    CAF_CHECK_EQUAL(static_cast<size_t>(answered), asked.size());
    for (auto path : {"a", "b"}) {
      auto code = x.ask(x.directory, find_stream{path}).code();
      CAF_CHECK_EQUAL(code, x.store->load_row(path) ? ec::none : ec::not_found);
      CAF_CHECK_EQUAL(x.append(x.open(path), "y").code(), ec::none);
    }
  }
}
