#define CAF_SUITE actors.generation.queue

#include "actors/generation/queue.hpp"

#include "tests/support/test.hpp"

using namespace segue;

namespace {

generation_row row(uint64_t accepted) {
  generation_row x;
  x.accepted = accepted;
  x.request_id = std::to_string(accepted);
  return x;
}

struct fixture {
  generation_queue line;

  explicit fixture(uint64_t length = 0) {
    for (uint64_t i = 1; i <= length; ++i)
      line.push(row(i));
  }

  /// Each change as id@place#seq.
  std::string changes() {
    std::string told;
    for (const auto& x : line.changes())
      told += (told.empty() ? "" : " ") + x.row.request_id + "@" + std::to_string(x.row.place) + "#" + std::to_string(x.seq);
    return told;
  }

  uint64_t place(const std::string& id) {
    auto found = line.find(id);
    return found ? found->place : 0;
  }
};

} // namespace

CAF_TEST(the line is in accepted order whatever comes first) {
  fixture x;
  for (uint64_t accepted : {3, 1, 2})
    x.line.push(row(accepted));
  CAF_CHECK_EQUAL(x.place("1"), 1u);
  CAF_CHECK_EQUAL(x.place("3"), 3u);
  auto first = x.line.pop();
  CAF_CHECK_EQUAL(first.request_id, "1");
  CAF_CHECK_EQUAL(first.place, 0u);
  CAF_CHECK_EQUAL(x.place("3"), 2u);
}

CAF_TEST(who is taken out is not there any more and the others move up) {
  fixture x{3};
  CAF_CHECK(x.line.take("2").has_value());
  CAF_CHECK(!x.line.take("2").has_value());
  CAF_CHECK_EQUAL(x.place("2"), 0u);
  CAF_CHECK_EQUAL(x.place("3"), 2u);
}

CAF_TEST(everybody is told the first place and then each change once) {
  fixture x{3};
  CAF_CHECK_EQUAL(x.changes(), "1@1#0 2@2#0 3@3#0");
  CAF_CHECK_EQUAL(x.changes(), "");
  x.line.pop();
  CAF_CHECK_EQUAL(x.changes(), "2@1#1 3@2#1");
  x.line.push(row(4));
  CAF_CHECK_EQUAL(x.changes(), "4@3#0");
}

CAF_TEST(far behind only every tenth of the way is told) {
  fixture x{1000};
  x.changes();
  size_t events = 0;
  for (int turn = 0; turn < 99; ++turn) {
    x.line.pop();
    for (const auto& change : x.line.changes())
      events += change.row.request_id == "1000";
  }
  CAF_CHECK_EQUAL(events, 0u);
  while (x.line.size() > 1) {
    x.line.pop();
    for (const auto& change : x.line.changes())
      events += change.row.request_id == "1000";
  }
  CAF_CHECK(events > 40 && events < 60); // 0.9^n of the way, and each of the last ten
  CAF_CHECK_EQUAL(x.place("1000"), 1u);
}

CAF_TEST(what went under a wrong number is told again under the right one) {
  fixture x{1};
  CAF_CHECK_EQUAL(x.changes(), "1@1#0");
  x.line.tell_again("1", 5);
  CAF_CHECK_EQUAL(x.changes(), "1@1#5");
  x.line.tell_again("gone", 7);
  CAF_CHECK_EQUAL(x.changes(), "");
}
