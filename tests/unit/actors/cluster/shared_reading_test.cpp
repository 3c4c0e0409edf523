#define CAF_SUITE actors.cluster.shared_reading

#include "actors/cluster/shared_reading.hpp"

#include <map>
#include <random>
#include <string>

#include "tests/support/test.hpp"

using namespace segue;

namespace {

/// Readers are numbers, and so is time.
struct moment {
  int at = 0;
  static constexpr moment max() { return {1'000'000}; }
  auto operator<=>(const moment&) const = default;
};

using reading = shared_reading<int, moment>;

constexpr auto past = shared_read::past;
constexpr auto tail = shared_read::tail;

/// An owner whose stream is a text, in records of one size.
struct owner {
  std::string text;
  size_t record = 4;
  bool closed = false;

  chunk_batch answer(const read_chunks& x) const {
    chunk_batch batch{{}, x.after, text.size(), closed};
    uint64_t size = 0;
    while (batch.next < text.size() && (size == 0 || size + record <= x.limit)) {
      auto end = std::min((batch.next / record + 1) * record, text.size());
      batch.chunks.push_back({batch.next, payload{text.substr(batch.next, end - batch.next)}, {}});
      size += end - batch.next;
      batch.next = end;
    }
    return batch;
  }
};

struct fixture {
  reading shared{64, 100};
  owner there;
  std::map<int, chunk_batch> answers;
  std::map<int, ec> refusals;
  int next = 1;

  void settle(reading::outcome x) {
    for (auto& [who, batch] : x.answers) {
      CAF_CHECK(answers.try_emplace(who, std::move(batch)).second);
      CAF_CHECK(refusals.count(who) == 0);
    }
    for (auto& [who, why] : x.refusals)
      CAF_CHECK(refusals.try_emplace(who, code_of(why)).second);
  }

  int read(position after, bool waits, uint64_t limit = 1000, int until = 100) {
    settle(shared.offer({after, limit, waits, {until}, next}));
    return next++;
  }

  /// The owner answers what is asked; at the tail, only if there is something to tell.
  void answer(shared_read which, const read_chunks& x) { settle(shared.arrived(which, there.answer(x))); }

  std::string heard(int who) {
    auto found = answers.find(who);
    if (found == answers.end())
      return refusals.count(who) ? "refused" : "nothing yet";
    std::string text;
    for (const auto& x : found->second.chunks)
      text += x.bytes.view();
    return text;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(shared_reading_tests, fixture)

CAF_TEST(readers of one position share one read) {
  there.text = "aaaabbbb";
  int a = read(0, false), b = read(0, false), c = read(4, false);
  auto question = shared.next(past);
  CAF_REQUIRE(question.has_value());
  CAF_CHECK_EQUAL(question->after, 0u);
  CAF_CHECK_EQUAL(question->wait_ms, 0u);
  CAF_CHECK(!shared.next(past).has_value()); // one at a time
  CAF_CHECK(!shared.next(tail).has_value());
  answer(past, *question);
  CAF_CHECK_EQUAL(heard(a), "aaaabbbb");
  CAF_CHECK_EQUAL(heard(b), "aaaabbbb");
  CAF_CHECK_EQUAL(heard(c), "bbbb"); // it lay in the same batch
  CAF_CHECK(!shared.next(past).has_value());
}

CAF_TEST(each gets as much as it wants and at least one record) {
  there.text = "aaaabbbbcccc";
  int a = read(0, false, 1), b = read(0, false, 8);
  auto question = shared.next(past);
  CAF_CHECK_EQUAL(question->limit, 8u);
  answer(past, *question);
  CAF_CHECK_EQUAL(heard(a), "aaaa");
  CAF_CHECK_EQUAL(heard(b), "aaaabbbb");
  CAF_CHECK(!answers.at(b).up_to_date());
  CAF_CHECK_EQUAL(answers.at(b).tail, 12u);
}

CAF_TEST(who waits at the tail waits with all others in one read) {
  there.text = "aaaa";
  int a = read(4, true);
  answer(past, *shared.next(past)); // where the end is, is not known yet
  CAF_CHECK_EQUAL(heard(a), "nothing yet");
  auto question = shared.next(tail);
  CAF_REQUIRE(question.has_value());
  CAF_CHECK_EQUAL(question->after, 4u);
  CAF_CHECK(question->wait_ms > 0);
  CAF_CHECK(shared.follows());
  int b = read(4, true), c = read(4, true);
  CAF_CHECK(!shared.next(past).has_value());
  CAF_CHECK(!shared.next(tail).has_value());
  there.text += "bbbb";
  answer(tail, *question);
  for (int who : {a, b, c})
    CAF_CHECK_EQUAL(heard(who), "bbbb");
}

CAF_TEST(who comes late is not kept waiting by those at the tail) {
  there.text = "aaaabbbb";
  read(8, true);
  answer(past, *shared.next(past));
  auto at_tail = shared.next(tail);
  CAF_REQUIRE(at_tail.has_value());
  int late = read(0, false);
  auto question = shared.next(past);
  CAF_REQUIRE(question.has_value());
  answer(past, *question);
  CAF_CHECK_EQUAL(heard(late), "aaaabbbb");
}

CAF_TEST(what came lately is in memory for those who come a little later) {
  there.text = "aaaa";
  read(4, true);
  answer(past, *shared.next(past));
  auto question = shared.next(tail);
  there.text += "bbbb";
  answer(tail, *question);
  CAF_REQUIRE(shared.next(tail).has_value()); // once more, for whoever comes back in a moment
  int late = read(4, false), inside = read(6, false), end = read(8, false);
  CAF_CHECK_EQUAL(heard(late), "bbbb");
  CAF_CHECK_EQUAL(heard(inside), "bb");
  CAF_CHECK_EQUAL(heard(end), "");
  CAF_CHECK(answers.at(end).up_to_date());
  CAF_CHECK(!shared.next(past).has_value());
}

CAF_TEST(when nobody comes back the tail is followed no more and memory is not believed) {
  there.text = "aaaa";
  read(4, true);
  answer(past, *shared.next(past));
  auto question = shared.next(tail);
  there.text += "bbbb";
  answer(tail, *question);
  question = shared.next(tail);
  there.text += "cccc";
  answer(tail, *question);
  CAF_CHECK(!shared.next(tail).has_value());
  CAF_CHECK(!shared.follows());
  there.text += "dddd"; // which nobody here has heard of
  int end = read(12, false), before = read(8, false);
  answer(past, *shared.next(past));
  CAF_CHECK_EQUAL(heard(end), "dddd");
  if (auto more = shared.next(past))
    answer(past, *more);
  CAF_CHECK_EQUAL(heard(before), "ccccdddd");
}

CAF_TEST(whose time is over hears that nothing came) {
  there.text = "aaaa";
  int a = read(4, true, 1000, 10), b = read(4, true, 1000, 20);
  answer(past, *shared.next(past));
  shared.next(tail);
  CAF_CHECK(shared.next_deadline() == moment{10});
  settle(shared.expire({10}));
  CAF_CHECK_EQUAL(heard(a), "");
  CAF_CHECK(answers.at(a).up_to_date() && !answers.at(a).closed);
  CAF_CHECK_EQUAL(heard(b), "nothing yet");
  CAF_CHECK(shared.next_deadline() == moment{20});
}

CAF_TEST(the end of a closed stream is told to all and never asked for again) {
  there.text = "aaaa";
  int a = read(4, true);
  answer(past, *shared.next(past));
  auto question = shared.next(tail);
  there.closed = true;
  answer(tail, *question);
  CAF_CHECK_EQUAL(heard(a), "");
  CAF_CHECK(answers.at(a).closed);
  int b = read(4, true), c = read(4, false);
  CAF_CHECK(answers.at(b).closed && answers.at(c).closed);
  CAF_CHECK(!shared.next(past).has_value() && !shared.next(tail).has_value());
}

CAF_TEST(a wrong position harms nobody else) {
  there.text = "aaaabbbb";
  int wrong = read(99, false), right = read(0, false);
  auto question = shared.next(past);
  CAF_CHECK_EQUAL(question->after, 99u);
  settle(shared.failed(past, caf::make_error(ec::bad_offset)));
  CAF_CHECK_EQUAL(refusals.at(wrong), ec::bad_offset);
  answer(past, *shared.next(past));
  CAF_CHECK_EQUAL(heard(right), "aaaabbbb");
}

CAF_TEST(an owner who cannot answer fails all who wait for that answer) {
  int a = read(0, false), b = read(4, false);
  shared.next(past);
  settle(shared.failed(past, caf::make_error(ec::unavailable)));
  CAF_CHECK_EQUAL(refusals.at(a), ec::unavailable);
  CAF_CHECK_EQUAL(refusals.at(b), ec::unavailable);
  CAF_CHECK_EQUAL(shared.waiting(), 0u);
}

CAF_TEST(more readers than the bound are refused) {
  reading small{64, 2};
  for (int i = 0; i < 2; ++i)
    CAF_CHECK(small.offer({0, 1, true, {9}, i}).refusals.empty());
  auto out = small.offer({0, 1, true, {9}, 3});
  CAF_REQUIRE_EQUAL(out.refusals.size(), 1u);
  CAF_CHECK_EQUAL(code_of(out.refusals[0].second), ec::busy);
  CAF_CHECK_EQUAL(small.abandon(caf::make_error(ec::moved)).refusals.size(), 2u);
}

/// Many readers, each going on from where its last answer ended, over an owner who grows and answers when it likes.
CAF_TEST(everybody hears every byte once and in order whatever comes in between) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::mt19937 dice{seed};
    auto up_to = [&](int most) { return static_cast<int>(dice() % static_cast<unsigned>(most + 1)); };
    fixture x;
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
    }
    for (const auto& one : all) {
      CAF_CHECK(one.done);
      CAF_CHECK_EQUAL(one.text, x.there.text);
    }
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
