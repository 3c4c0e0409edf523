#define CAF_SUITE actors.generation.attempts

#include "actors/generation/attempts.hpp"

#include <set>
#include <vector>

#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

constexpr bool added_sound = true;
constexpr bool nothing = false;

/// The pause after so many attempts that broke off without sound; each lies between a half and the whole of what is due.
void check_pauses(attempts& x, std::vector<int64_t> due) {
  for (auto whole : due) {
    auto pause = x.broke_off(nothing);
    CAF_REQUIRE(pause.has_value());
    CAF_CHECK_LESS_OR_EQUAL(pause->count(), whole);
    CAF_CHECK_GREATER_OR_EQUAL(pause->count(), whole / 2);
  }
}

} // namespace

CAF_TEST(after so many attempts without sound there is no other) {
  attempts x{{5}};
  for (size_t n = 1; n < 5; ++n) {
    CAF_CHECK(x.broke_off(nothing).has_value());
    CAF_CHECK_EQUAL(x.fruitless(), n);
  }
  CAF_CHECK(!x.broke_off(nothing).has_value());
  CAF_CHECK_EQUAL(x.fruitless(), 5u);
}

CAF_TEST(with a limit of one the first attempt without sound is the last) {
  attempts x{{1}};
  CAF_CHECK(x.broke_off(added_sound).has_value());
  CAF_CHECK(!x.broke_off(nothing).has_value());
}

CAF_TEST(pauses double up to the longest) {
  attempts x{{100, 500ms, 30s}};
  check_pauses(x, {500, 1'000, 2'000, 4'000, 8'000, 16'000, 30'000, 30'000, 30'000});
}

CAF_TEST(an attempt that added sound sets everything back) {
  attempts x{{3, 500ms, 30s}};
  for (int rounds = 0; rounds < 50; ++rounds) {
    auto pause = x.broke_off(added_sound);
    CAF_REQUIRE(pause.has_value());
    CAF_CHECK_LESS_OR_EQUAL(pause->count(), 500);
    CAF_CHECK_EQUAL(x.fruitless(), 0u);
    check_pauses(x, {1'000, 2'000});
  }
  CAF_CHECK(!x.broke_off(nothing).has_value());
}

CAF_TEST(generations that broke off together come back apart) {
  std::set<int64_t> pauses;
  for (uint64_t seed = 0; seed < 50; ++seed)
    pauses.insert(attempts{{}, seed}.broke_off(nothing)->count());
  CAF_CHECK_GREATER(pauses.size(), 20u);
}
