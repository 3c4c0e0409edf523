#define CAF_SUITE adapters.commit_pace

#include "adapters/commit_pace.hpp"

#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

struct fixture {
  commit_pace pace;
  commit_pace::clock::time_point now{1h};

  /// Appends to so many streams in turn, one every so often.
  void appends(size_t count, size_t streams, std::chrono::microseconds every) {
    for (size_t i = 0; i < count; ++i) {
      now += every;
      pace.appended(i % streams + 1, now);
    }
  }

  int64_t wait_us(size_t gathered = 1) const {
    return std::chrono::duration_cast<std::chrono::microseconds>(pace.wait(now, gathered)).count();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(commit_pace_tests, fixture)

CAF_TEST(one producer never waits however fast it is) {
  appends(1'000, 1, 10us);
  pace.began(now);
  CAF_CHECK_EQUAL(wait_us(), 0);
}

CAF_TEST(a few producers do not wait for each other) {
  appends(1'000, commit_pace::siblings - 1, 10us);
  pace.began(now);
  CAF_CHECK_EQUAL(wait_us(), 0);
}

CAF_TEST(many streams at an unhurried pace do not wait) {
  appends(1'000, 200, 1ms);
  pace.began(now);
  CAF_CHECK_EQUAL(wait_us(), 0);
}

CAF_TEST(when many streams are appended to syncs begin a little apart) {
  pace.began(now);
  appends(commit_pace::remembered - 1, 200, 10us);
  CAF_CHECK_EQUAL(wait_us(), 0);
  appends(200, 200, 10us);
  pace.began(now);
  CAF_CHECK_EQUAL(wait_us(), commit_pace::apart.count());
  now += 400us;
  CAF_CHECK_EQUAL(wait_us(), commit_pace::apart.count() - 400);
  now += commit_pace::apart;
  CAF_CHECK_EQUAL(wait_us(), 0);
}

CAF_TEST(a group that is large enough waits for nobody) {
  appends(200, 200, 10us);
  pace.began(now);
  CAF_CHECK_EQUAL(wait_us(commit_pace::enough - 1), commit_pace::apart.count());
  CAF_CHECK_EQUAL(wait_us(commit_pace::enough), 0);
}

CAF_TEST(a rush that is over is forgotten) {
  appends(200, 200, 10us);
  now += commit_pace::window;
  pace.began(now);
  CAF_CHECK_EQUAL(wait_us(), 0);
}

CAF_TEST_FIXTURE_SCOPE_END()
