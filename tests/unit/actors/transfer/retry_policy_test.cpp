#define CAF_SUITE actors.transfer.retry_policy

#include "actors/transfer/retry_policy.hpp"

#include <set>

#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

/// The least and the most that is waited after so many failures, over many transfers.
std::pair<int64_t, int64_t> bounds(retry_limits limits, uint32_t attempts) {
  retry_policy policy{limits, 1};
  std::pair<int64_t, int64_t> found{INT64_MAX, INT64_MIN};
  for (int i = 0; i < 2'000; ++i) {
    auto pause = policy.failed(attempts).value_or(-1ms).count();
    found.first = std::min(found.first, pause);
    found.second = std::max(found.second, pause);
  }
  return found;
}

} // namespace

CAF_TEST(each pause is twice as long as the one before and between its half and its whole) {
  int64_t whole = 1'000;
  for (uint32_t attempts = 1; attempts < 8; ++attempts, whole *= 2) {
    auto [least, most] = bounds({}, attempts);
    CAF_MESSAGE(attempts << " failed: " << least << " to " << most);
    CAF_CHECK(least >= whole / 2 && least < whole / 2 + whole / 50);
    CAF_CHECK(most <= whole && most > whole - whole / 50);
  }
}

CAF_TEST(no pause is longer than the longest however many attempts failed) {
  retry_limits limits{UINT32_MAX, 1'000ms, 5'000ms};
  for (uint32_t attempts : {4u, 30u, 31u, 32u, 33u, 64u, 1'000'000u, UINT32_MAX - 1}) {
    auto [least, most] = bounds(limits, attempts);
    CAF_CHECK(least >= 2'500 && most <= 5'000);
  }
}

CAF_TEST(after the last attempt there is none) {
  retry_policy policy{{3, 10ms, 100ms}};
  CAF_CHECK(policy.failed(1).has_value());
  CAF_CHECK(policy.failed(2).has_value());
  CAF_CHECK(!policy.failed(3).has_value());
  CAF_CHECK(!policy.failed(4).has_value());
  CAF_CHECK(!retry_policy({1}).failed(1).has_value());
}

CAF_TEST(what is tried for ever waits as long as anything else and no longer than the longest) {
  retry_policy policy{{3, 1'000ms, 5'000ms}};
  for (uint32_t attempts : {1u, 2u, 3u, 4u, 100u}) {
    auto pause = policy.pause(attempts);
    auto whole = std::min<int64_t>(1'000ll << std::min(attempts - 1, 10u), 5'000);
    CAF_CHECK(pause.count() >= whole / 2 && pause.count() <= whole);
  }
}

CAF_TEST(nothing failed is like one failure) {
  auto [least, most] = bounds({}, 0);
  CAF_CHECK(least >= 500 && most <= 1'000);
}

CAF_TEST(what failed together does not come back together) {
  std::set<int64_t> pauses;
  for (uint64_t seed = 0; seed < 100; ++seed)
    pauses.insert(retry_policy{{}, seed}.failed(8 - 1)->count());
  CAF_CHECK_GREATER(pauses.size(), 90u);
}

CAF_TEST(the shortest pause is possible) { CAF_CHECK(bounds({8, 1ms, 1ms}, 5) == (std::pair<int64_t, int64_t>{1, 1})); }
