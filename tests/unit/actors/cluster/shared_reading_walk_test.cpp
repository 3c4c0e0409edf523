#define CAF_SUITE actors.cluster.shared_reading_walk

#include "actors/cluster/shared_reading.hpp"

#include <random>

#include "tests/support/reading_fixture.hpp"
#include "tests/support/test.hpp"

using namespace segue;

/// Many readers, each going on from where its last answer ended, over an owner who grows and answers when it likes.
CAF_TEST(everybody hears every byte once and in order whatever comes in between) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::mt19937 dice{seed};
    auto up_to = [&](int most) { return static_cast<int>(dice() % static_cast<unsigned>(most + 1)); };
    reading_fixture x;
    x.shared = reading{static_cast<size_t>(4 + up_to(30)), 100};
    x.there.record = static_cast<size_t>(1 + up_to(6));
    struct listener {
      std::string text;
      int question = 0;
      bool done = false;
    };
    std::vector<listener> all(5);
    std::map<shared_read, read_chunks> asked;
    const size_t whole = 120;
    for (int step = 0; step < 4000; ++step) {
      if (x.there.text.size() < whole && up_to(9) == 0)
        for (size_t i = 0; i < x.there.record && x.there.text.size() < whole; ++i)
          x.there.text += static_cast<char>('a' + up_to(25));
      x.there.closed = x.there.text.size() == whole;
      auto& one = all[static_cast<size_t>(up_to(4))];
      if (one.question != 0 && x.answers.count(one.question)) {
        auto batch = x.answers.at(one.question);
        for (const auto& record : batch.chunks) {
          CAF_CHECK_EQUAL(record.start, one.text.size());
          one.text += record.bytes.view();
        }
        CAF_CHECK_EQUAL(batch.next, one.text.size());
        CAF_CHECK(batch.tail <= x.there.text.size() && batch.tail >= batch.next);
        CAF_CHECK(!batch.closed || batch.tail == whole);
        one.done = batch.closed && batch.up_to_date();
        one.question = 0;
      } else if (one.question == 0 && !one.done) {
        one.question = x.read(one.text.size(), up_to(1) == 0, static_cast<uint64_t>(1 + up_to(20)), step + 50);
      }
      x.settle(x.shared.expire({step}));
      for (auto which : {past, tail}) {
        if (auto question = x.shared.next(which)) {
          CAF_CHECK(asked.emplace(which, *question).second);
        } else if (auto under_way = asked.find(which); under_way != asked.end() && up_to(4) == 0) {
          bool silent = which == tail && under_way->second.after == x.there.text.size() && !x.there.closed;
          if (silent && up_to(9) > 0)
            continue;
          auto now = under_way->second;
          asked.erase(under_way);
          x.answer(which, now);
        }
      }
      for (auto which : {past, tail})
        if (auto question = x.shared.next(which))
          CAF_CHECK(asked.emplace(which, *question).second);
      CAF_CHECK(x.shared.waiting() == 0 || !asked.empty()); // nobody waits for a read that is not under way
      CAF_CHECK(x.shared.next_deadline() == moment::max() || asked.contains(tail));
    }
    for (const auto& one : all) {
      CAF_CHECK(one.done);
      CAF_CHECK_EQUAL(one.text, x.there.text);
    }
  }
}
