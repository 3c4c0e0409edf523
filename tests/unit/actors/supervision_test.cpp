#define CAF_SUITE actors.supervision

#include "actors/supervision.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include "tests/support/test.hpp"

#undef allow // a macro of the test DSL, and here a method

using namespace segue;
using namespace std::chrono_literals;

namespace {

constexpr restart_budget::clock::time_point start{1h};

} // namespace

CAF_TEST(five restarts within ten seconds are allowed and the sixth is not ) {
  restart_budget budget;
  for (int i = 0; i < 5; ++i)
    CAF_CHECK(budget.allow(start));
  CAF_CHECK(!budget.allow(start));
  CAF_CHECK(!budget.allow(start + 9'999ms));
}

CAF_TEST(after ten seconds a restart is forgotten) {
  restart_budget budget;
  for (int i = 0; i < 5; ++i)
    CAF_CHECK(budget.allow(start + i * 2s));
  CAF_CHECK(!budget.allow(start + 9'999ms));
  CAF_CHECK(budget.allow(start + 10s)); // the one at 0 s is ten seconds old
  CAF_CHECK(!budget.allow(start + 11'999ms));
  CAF_CHECK(budget.allow(start + 12s));
}

CAF_TEST(a restart that was refused does not count) {
  restart_budget budget;
  for (int i = 0; i < 5; ++i)
    CAF_CHECK(budget.allow(start));
  for (int i = 0; i < 100; ++i)
    CAF_CHECK(!budget.allow(start + 9s));
  CAF_CHECK_EQUAL(budget.total(), 5u);
  for (int i = 0; i < 5; ++i)
    CAF_CHECK(budget.allow(start + 10s));
  CAF_CHECK_EQUAL(budget.total(), 10u);
}

CAF_TEST(a slow trickle of restarts goes on for ever) {
  restart_budget budget;
  for (int i = 0; i < 1'000; ++i)
    CAF_REQUIRE(budget.allow(start + i * 2s));
  CAF_CHECK_EQUAL(budget.total(), 1'000u);
}

CAF_TEST(most and window can be chosen) {
  restart_budget none{0, 1s};
  CAF_CHECK(!none.allow(start));
  restart_budget one{1, 1s};
  CAF_CHECK(one.allow(start));
  CAF_CHECK(!one.allow(start + 999ms));
  CAF_CHECK(one.allow(start + 1s));
}

CAF_TEST(no window ever holds more than five restarts) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::minstd_rand dice{seed};
    restart_budget budget;
    std::vector<restart_budget::clock::time_point> allowed;
    auto now = start;
    for (int i = 0; i < 500; ++i) {
      now += dice() % 4'000 * 1ms;
      auto recent = std::count_if(allowed.begin(), allowed.end(), [&](auto at) { return now - at < 10s; });
      CAF_REQUIRE_EQUAL(budget.allow(now), recent < 5);
      if (recent < 5)
        allowed.push_back(now);
    }
    CAF_CHECK_EQUAL(budget.total(), allowed.size());
  }
}
