// Streams, their directory and the store host over every engine, while commits fail: nobody is told what is not so.
#define CAF_SUITE contract.log_faults

#include <random>

#include "tests/support/actor_fixture.hpp"
#include "tests/support/forgetful_store.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

template <class Test>
void over_each(Test test) {
  for_each_chunk_store([&](chunk_store_engine& engine) {
    actor_fixture x{engine.get()};
    test(x);
  });
}

append_chunk tagged(const std::string& bytes, uint64_t seq) { return {bytes, {}, {}, {"p", 0, seq}, {}, false}; }

/// One producer that keeps a few appends under way and repeats what was turned away, like every client should.
/// Meanwhile commits fail and the stream dies.
class producer {
public:
  producer(actor_fixture& x, uint32_t seed, size_t count) : x_(x), dice_(seed), count_(count) {}

  std::string text(size_t seq) const { return std::to_string(seq) + std::string(seq % 5, '.') + " "; }

  /// Everything that was to be appended, once and in order.
  std::string whole() const {
    std::string all;
    for (size_t seq = 0; seq < count_; ++seq)
      all += text(seq);
    return all;
  }

  void run() {
    while (acknowledged_ < count_ && rounds_++ < 2'000) {
      hurt();
      std::vector<awaited<chunk_appended>> answers;
      auto stream = x_.ask(x_.directory, open_stream{"a", "audio/mpeg"});
      auto opened = stream.here() && stream.code() == ec::none;
      for (auto seq = acknowledged_; opened && seq < std::min(count_, acknowledged_ + 6); ++seq)
        answers.push_back(x_.post(stream.reply().stream, tagged(text(seq), seq)));
      if (opened && below(8) == 0) {
        for (auto n = below(20); n > 0; --n)
          x_.consume_message();
        x_.kill(stream.reply().stream);
      }
      x_.pass(200ms);
      for (const auto& answer : answers) {
        if (!answer.here() || answer.code() != ec::none)
          break;
        ++acknowledged_;
      }
    }
    CAF_CHECK_EQUAL(acknowledged_, count_);
  }

private:
  size_t below(size_t bound) { return std::uniform_int_distribution<size_t>{0, bound - 1}(dice_); }

  void hurt() {
    constexpr fault kinds[] = {fault::before_write, fault::after_write, fault::full};
    if (below(2) == 0)
      x_.store->fail_commits(kinds[below(3)], 1 + below(2), below(3));
    if (below(4) == 0)
      x_.store->fail_reopens(below(3));
  }

  actor_fixture& x_;
  std::mt19937 dice_;
  size_t count_;
  size_t acknowledged_ = 0;
  size_t rounds_ = 0;
};

} // namespace

CAF_TEST(an append that was written although its answer was lost is acknowledged once and stored once) {
  over_each([](actor_fixture& x) {
    auto stream = x.open();
    x.store->fail_commits(fault::after_write);
    auto done = x.append(stream, "abc", {"p", 0, 0});
    CAF_CHECK_EQUAL(done.reply().next, 3u);
    CAF_CHECK(!done.reply().duplicate);
    CAF_CHECK(x.append(stream, "abc", {"p", 0, 0}).reply().duplicate);
    CAF_CHECK_EQUAL(x.append(stream, "def", {"p", 0, 1}).reply().next, 6u);
    CAF_CHECK_EQUAL(x.content("a"), "abcdef");
    CAF_CHECK_EQUAL(x.store->faults(), 1u);
  });
}

CAF_TEST(an append that was not written is refused and its repetition is stored once) {
  over_each([](actor_fixture& x) {
    auto stream = x.open();
    x.store->fail_commits(fault::before_write);
    CAF_CHECK_EQUAL(x.append(stream, "abc", {"p", 0, 0}).code(), ec::unavailable);
    auto again = x.append(stream, "abc", {"p", 0, 0}).reply();
    CAF_CHECK_EQUAL(again.next, 3u);
    CAF_CHECK(!again.duplicate); // it was not stored the first time, as was said
    CAF_CHECK_EQUAL(x.content("a"), "abc");
  });
}

CAF_TEST(what was refused is not stored and what follows is) {
  over_each([](actor_fixture& x) {
    auto stream = x.open();
    x.append(stream, "first ");
    x.store->fail_commits(fault::before_write);
    CAF_CHECK_EQUAL(x.append(stream, "refused").code(), ec::unavailable);
    CAF_CHECK_EQUAL(x.content("a"), "first ");
    CAF_CHECK_EQUAL(x.append(stream, "second ").reply().next, 13u);
    CAF_CHECK_EQUAL(x.content("a"), "first second ");
  });
}

CAF_TEST(what waited behind a lost write is told the truth too) {
  over_each([](actor_fixture& x) {
    for (auto how : {fault::before_write, fault::after_write}) {
      auto path = how == fault::before_write ? "a" : "b";
      auto stream = x.open(path);
      x.store->fail_commits(how);
      std::vector<awaited<chunk_appended>> answers;
      for (const auto* text : {"one ", "two ", "three "})
        answers.push_back(x.post(stream, append_chunk{std::string{text}, {}, {}, {}, {}, false}));
      x.consume_messages();
      x.pass(1s);
      std::string acknowledged;
      const char* texts[] = {"one ", "two ", "three "};
      for (size_t i = 0; i < answers.size(); ++i)
        if (answers[i].here() && answers[i].code() == ec::none)
          acknowledged += texts[i];
      CAF_CHECK_EQUAL(x.content(path), acknowledged);
      x.append(stream, "four");
      CAF_CHECK_EQUAL(x.content(path), acknowledged + "four");
    }
  });
}

CAF_TEST(while the store fails nothing is acknowledged and readers wait and then all goes on) {
  over_each([](actor_fixture& x) {
    auto stream = x.open();
    auto reader = x.read(stream, 0, 100, 30'000);
    x.store->fail_commits(fault::after_write);
    x.store->fail_reopens(SIZE_MAX);
    auto lost = x.append(stream, "abc", {"p", 0, 0});
    x.pass(1s);
    CAF_CHECK(!lost.here() && !reader.here());
    CAF_CHECK_EQUAL(x.append(stream, "def", {"p", 0, 1}).code(), ec::unavailable);
    CAF_CHECK(x.read(stream, 0).reply().chunks.empty()); // not heard before it is known to be durable
    x.store->fail_reopens(0);
    x.pass(2s);
    CAF_CHECK_EQUAL(x.store->reopened(), 1u);
    CAF_CHECK_EQUAL(lost.reply().next, 3u);
    CAF_CHECK_EQUAL(x.bytes_of(reader.reply(), 0), "abc");
    CAF_CHECK_EQUAL(x.append(stream, "def", {"p", 0, 1}).reply().next, 6u);
    CAF_CHECK_EQUAL(x.content("a"), "abcdef");
  });
}

CAF_TEST(a store that nobody writes to is opened again for those who read) {
  over_each([](actor_fixture& x) {
    x.store->fail_commits(fault::before_write);
    x.store->fail_reopens(3);
    CAF_CHECK_EQUAL(x.ask(x.host, create_stream{{"a", "audio/mpeg"}, 7}).code(), ec::unknown_outcome);
    x.pass(1s);
    CAF_CHECK_EQUAL(x.store->reopened(), 1u);
    CAF_CHECK_EQUAL(x.store->commits(), 1u);
  });
}

CAF_TEST(however much has gathered a group is small enough for a slow store) {
  over_each([](actor_fixture& x) {
    constexpr size_t mebibyte = 1 << 20;
    std::vector<awaited<chunk_appended>> answers;
    std::vector<stream_actor> streams;
    for (int i = 0; i < 20; ++i)
      streams.push_back(x.open("song " + std::to_string(i)));
    auto before = x.store->commits();
    for (const auto& stream : streams)
      answers.push_back(x.post(stream, append_chunk{std::string(mebibyte, 'x'), {}, {}, {}, {}, false}));
    x.consume_messages();
    CAF_CHECK_EQUAL(x.store->commits() - before, 3u); // of 8, 8 and 4 MiB
    for (auto& answer : answers)
      CAF_CHECK_EQUAL(answer.reply().next, mebibyte);
    answers.clear();
    before = x.store->commits();
    answers.push_back(x.post(streams[0], append_chunk{std::string(9 * mebibyte, 'x'), {}, {}, {}, {}, false}));
    x.consume_messages();
    CAF_CHECK_EQUAL(answers[0].reply().next, 10 * mebibyte); // one that is larger by itself
  });
}

CAF_TEST(whoever reads a stream that was removed meanwhile is sent on and whoever misses a record is told so) {
  over_each([](actor_fixture& x) {
    auto stream = x.open();
    x.append(stream, "abc");
    auto id = x.ask(x.host, load_stream{"a"}).reply().row.id;
    auto read = [&](position after) { return x.ask(x.host, load_chunks{{{id, UINT64_MAX}}, after, 100, 6, false}).code(); };
    CAF_CHECK_EQUAL(read(0), ec::none);
    CAF_CHECK_EQUAL(read(3), ec::corrupt);
    CAF_CHECK_EQUAL(x.ask(x.host, delete_stream{"a"}).code(), ec::none);
    CAF_CHECK_EQUAL(read(0), ec::moved);
  });
}

CAF_TEST(a full store is told as such and nothing is stored) {
  over_each([](actor_fixture& x) {
    auto stream = x.open();
    x.store->fail_commits(fault::full, 3);
    for (int i = 0; i < 3; ++i)
      CAF_CHECK_EQUAL(x.append(stream, "abc", {"p", 0, 0}).code(), ec::storage_full);
    CAF_CHECK_EQUAL(x.store->reopened(), 0u); // it is not broken
    CAF_CHECK_EQUAL(x.content("a"), "");
    CAF_CHECK_EQUAL(x.append(stream, "abc", {"p", 0, 0}).reply().next, 3u);
    CAF_CHECK_EQUAL(x.content("a"), "abc");
  });
}

CAF_TEST(a close whose answer was lost is acknowledged once) {
  over_each([](actor_fixture& x) {
    for (auto how : {fault::after_write, fault::before_write}) {
      auto path = how == fault::after_write ? "a" : "b";
      auto stream = x.open(path);
      x.append(stream, "abc", {"p", 0, 0});
      x.store->fail_commits(how);
      auto closed = x.append(stream, "", {"p", 0, 1}, true);
      CAF_CHECK_EQUAL(closed.code(), how == fault::after_write ? ec::none : ec::unavailable);
      CAF_CHECK_EQUAL(x.read(stream, 3).reply().closed, how == fault::after_write);
      CAF_CHECK(x.append(stream, "", {"p", 0, 1}, true).reply().closed);
      CAF_CHECK_EQUAL(x.content(path), "abc");
    }
  });
}

CAF_TEST(creating and removing while the store fails can be repeated) {
  over_each([](actor_fixture& x) {
    for (auto how : {fault::before_write, fault::after_write}) {
      x.store->fail_commits(how);
      CAF_CHECK_NOT_EQUAL(x.ask(x.directory, open_stream{"a", "audio/mpeg"}).code(), ec::none);
      auto stream = x.open();
      CAF_CHECK_EQUAL(x.append(stream, "abc").reply().next, 3u);
      x.store->fail_commits(how);
      CAF_CHECK_NOT_EQUAL(x.ask(x.directory, remove_stream{"a"}).code(), ec::none);
      CAF_CHECK_EQUAL(x.ask(x.directory, remove_stream{"a"}).code(), ec::none);
      CAF_CHECK_EQUAL(x.ask(x.directory, find_stream{"a"}).code(), ec::not_found);
    }
  });
}

CAF_TEST(a killed stream is opened again and its old writes are fenced) {
  over_each([](actor_fixture& x) {
    auto first = x.ask(x.directory, open_stream{"a", "audio/mpeg"}).reply();
    x.append(first.stream, "abc", {"p", 0, 0});
    auto reader = x.read(first.stream, 3, 100, 30'000);
    auto under_way = x.post(first.stream, append_chunk{std::string{"def"}, {}, {}, {"p", 0, 1}, {}, false});
    for (int i = 0; i < 3; ++i)
      x.consume_message(); // some of the way to the store
    x.kill(first.stream);
    CAF_CHECK_EQUAL(reader.code(), ec::unavailable);
    CAF_CHECK(under_way.here());
    CAF_CHECK_EQUAL(x.counters.streams_live.Value(), 0);
    auto next = x.ask(x.directory, find_stream{"a"}).reply();
    x.append(next.stream, "def", {"p", 0, 1});
    put_chunks zombie{first.row.id, first.row.owner_epoch, 6, {{6, std::string{"zombie"}, {}}}, {}, {}, false, {}};
    CAF_CHECK_EQUAL(x.ask(x.host, zombie).code(), ec::fenced);
    CAF_CHECK_EQUAL(x.content("a"), "abcdef");
  });
}

CAF_TEST(a stream that was fenced gives up and tells its producer) {
  over_each([](actor_fixture& x) {
    auto stream = x.open();
    x.append(stream, "abc");
    x.ask(x.host, claim_stream{"a"}); // somebody else is the owner now
    CAF_CHECK_EQUAL(x.append(stream, "lost").code(), ec::fenced);
    CAF_CHECK_EQUAL(x.append(stream, "late").code(), ec::unavailable);
    CAF_CHECK_EQUAL(x.append(x.open(), "def").reply().next, 6u);
    CAF_CHECK_EQUAL(x.content("a"), "abcdef");
  });
}

CAF_TEST(a stream whose store has lost what was acknowledged begins anew from what is left) {
  for (bool owned : {true, false}) {
    chunk_store_engine engine{"memory:"};
    chunk_store_engine saved{"memory:"};
    auto store = std::make_shared<forgetful_store>(engine.get(), saved.get());
    actor_fixture x{store};
    auto stream = x.open();
    x.append(stream, "abc");
    store->stop_saving();
    x.append(stream, "def");
    if (!owned) {
      x.kill(stream);
      stream = x.open();
    }
    auto waiting = x.read(stream, 6, 100, 30'000);
    store->forget();
    if (owned)
      x.store->fail_commits(fault::before_write);
    auto late = x.append(stream, "ghij").error();
    CAF_CHECK(owned ? code_of(late) == ec::unavailable : has_retired(late));
    CAF_CHECK_EQUAL(waiting.code(), ec::unavailable);
    CAF_CHECK_EQUAL(x.content("a"), "abc");
    CAF_CHECK_EQUAL(x.append(x.open(), "ghij").reply().next, 7u);
    CAF_CHECK_EQUAL(x.content("a"), "abcghij");
  }
}

CAF_TEST(whatever fails a producer that repeats is stored once and in order) {
  auto play = [](uint32_t seed, chunk_store_engine& engine) {
    actor_fixture x{engine.get()};
    producer someone{x, seed, 40};
    someone.run();
    x.store->heal();
    x.pass(1s);
    if (x.content("a") != someone.whole())
      CAF_ERROR("seed " << seed << ": stored was " << x.content("a"));
  };
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    chunk_store_engine engine{"memory:"};
    play(seed, engine);
  }
  for_each_chunk_store([&](chunk_store_engine& engine) { play(61, engine); });
}

CAF_TEST(a stream that nobody has in memory is read while the store takes no writes) {
  over_each([](actor_fixture& x) {
    auto first = x.open();
    x.append(first, "abc", {"p", 0, 0});
    x.kill(first);
    x.store->fail_commits(fault::full, 1000);
    CAF_CHECK_EQUAL(x.content("a"), "abc");
    auto stream = x.open();
    auto waiting = x.read(stream, 3, 100, 30'000);
    CAF_CHECK_EQUAL(x.append(stream, "def", {"p", 0, 1}).code(), ec::storage_full);
    CAF_CHECK_EQUAL(x.ask(stream, inspect_stream{true}).code(), ec::storage_full);
    CAF_CHECK_EQUAL(x.ask(stream, inspect_stream{}).reply().row.tail, 3u);
    x.store->heal();
    CAF_CHECK_EQUAL(x.append(stream, "def", {"p", 0, 1}).reply().next, 6u);
    CAF_CHECK_EQUAL(x.bytes_of(waiting.reply(), 3), "def");
    CAF_CHECK(x.append(stream, "abc", {"p", 0, 0}).reply().duplicate);
  });
}

CAF_TEST(appends that come before a stream is claimed are judged in their order and bounded) {
  over_each([](actor_fixture& x) {
    auto first = x.open();
    x.append(first, "abc", {"p", 0, 0});
    x.kill(first);
    auto stream = x.ask(x.directory, find_stream{"a"}).reply().stream;
    auto send = [&](const std::string& bytes, uint64_t seq) {
      return x.post(stream, append_chunk{bytes, {}, {}, {"p", 0, seq}, {}, false});
    };
    auto again = send("abc", 0);
    auto second = send("def", 1);
    auto gap = send("jkl", 3);
    auto third = send("ghi", 2);
    auto large = send(std::string(5 << 20, 'x'), 3);
    x.consume_messages();
    CAF_CHECK(again.reply().duplicate);
    CAF_CHECK_EQUAL(second.reply().next, 6u);
    CAF_CHECK_EQUAL(gap.code(), ec::producer_gap);
    CAF_CHECK_EQUAL(third.reply().next, 9u);
    CAF_CHECK_EQUAL(large.code(), ec::busy);
    CAF_CHECK_EQUAL(x.content("a"), "abcdefghi");
  });
}
