#define CAF_SUITE actors.cluster.shared_reading

#include "actors/cluster/shared_reading.hpp"

#include "tests/support/reading_fixture.hpp"
#include "tests/support/test.hpp"

using namespace segue;

CAF_TEST_FIXTURE_SCOPE(shared_reading_tests, reading_fixture)

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

CAF_TEST(who knows more of the end than is known here has the owner asked) {
  there.text = "aaaa";
  read(4, true);
  answer(past, *shared.next(past));
  auto at_tail = shared.next(tail);
  there.text += "bbbb"; // and nothing of it has come here yet
  int knows = read(8, false), wrong = read(12, false);
  auto question = shared.next(past);
  CAF_REQUIRE(question.has_value());
  CAF_CHECK_EQUAL(question->after, 8u);
  answer(past, *question);
  CAF_CHECK_EQUAL(heard(knows), "");
  CAF_CHECK_EQUAL(answers.at(knows).tail, 8u);
  question = shared.next(past);
  CAF_REQUIRE(question.has_value());
  CAF_CHECK_EQUAL(question->after, 12u);
  settle(shared.failed(past, caf::make_error(ec::bad_offset)));
  CAF_CHECK_EQUAL(refusals.at(wrong), ec::bad_offset);
  answer(tail, *at_tail);
}

CAF_TEST(who has appended here is not told that there is nothing newer) {
  there.text = "aaaa";
  int waits = read(4, true);
  answer(past, *shared.next(past));
  auto at_tail = shared.next(tail);
  there.text += "bbbb";
  shared.told(8, false); // before what was asked of the owner has come
  CAF_CHECK_EQUAL(shared.tail(), 8u);
  int reads = read(4, false);
  CAF_CHECK_EQUAL(heard(reads), "nothing yet");
  answer(past, *shared.next(past));
  CAF_CHECK_EQUAL(heard(reads), "bbbb");
  answer(tail, *at_tail);
  CAF_CHECK_EQUAL(heard(waits), "bbbb");
}

CAF_TEST(who has closed it here has the owner asked until that is heard of) {
  there.text = "aaaa";
  int waits = read(4, true);
  answer(past, *shared.next(past));
  auto at_tail = shared.next(tail);
  CAF_CHECK(shared.follows());
  there.closed = true;
  shared.told(4, true);
  CAF_CHECK(!shared.follows() && !shared.closed());
  int reads = read(4, false);
  answer(past, *shared.next(past));
  CAF_CHECK(answers.at(reads).closed && answers.at(waits).closed);
  CAF_CHECK(shared.follows());
  answer(tail, *at_tail);
}

CAF_TEST(the end of a closed stream that lives from being used is asked for each time) {
  shared = reading{64, 100, false};
  there.text = "aaaa";
  there.closed = true;
  for (int i = 0; i < 3; ++i) {
    int who = read(4, i > 0);
    auto question = shared.next(past);
    CAF_REQUIRE(question.has_value());
    CAF_CHECK(!shared.next(tail).has_value());
    CAF_CHECK_EQUAL(heard(who), "nothing yet");
    answer(past, *question);
    CAF_CHECK(answers.at(who).closed);
  }
}

CAF_TEST(an answer holds a bounded number of records however small they are) {
  shared = reading{1 << 20, 100};
  there.record = 1;
  there.text = std::string(10'000, 'x');
  int who = read(0, false, 1 << 20);
  answer(past, *shared.next(past));
  CAF_CHECK_EQUAL(answers.at(who).chunks.size(), ring::most_records);
  CAF_CHECK_EQUAL(answers.at(who).next, ring::most_records);
  CAF_CHECK(!answers.at(who).up_to_date());
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

CAF_TEST(a stream that is closed while a reader is behind is read to its end at once) {
  there.text = "aaaa";
  read(4, true, 4);
  answer(past, *shared.next(past));
  auto question = shared.next(tail);
  there.text += "bbbbcccc";
  there.closed = true;
  answer(tail, *question); // as much as was asked for
  int next = read(8, true, 4);
  question = shared.next(tail);
  CAF_REQUIRE(question.has_value());
  answer(tail, *question);
  CAF_CHECK_EQUAL(heard(next), "cccc");
  CAF_CHECK(answers.at(next).closed && answers.at(next).up_to_date());
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

CAF_TEST_FIXTURE_SCOPE_END()
