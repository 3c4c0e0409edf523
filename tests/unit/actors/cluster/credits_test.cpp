#define CAF_SUITE actors.cluster.credits

#include "actors/cluster/credits.hpp"

#include "tests/support/test.hpp"

using namespace segue;

CAF_TEST(bytes go until the bound is reached and again when some have come back) {
  credits x{100};
  CAF_CHECK(x.take(60));
  CAF_CHECK(x.take(40));
  CAF_CHECK(!x.take(1));
  CAF_CHECK_EQUAL(x.taken(), 100u);
  x.give(60);
  CAF_CHECK(x.take(60));
}

CAF_TEST(who waits is called once some have come back and tries again) {
  credits x{100};
  int called = 0;
  auto later = [&called] { ++called; };
  CAF_CHECK(x.take_or_wait(80, later));
  CAF_CHECK(!x.take_or_wait(30, later));
  CAF_CHECK(!x.take_or_wait(40, later));
  CAF_CHECK_EQUAL(called, 0);
  x.give(80);
  CAF_CHECK_EQUAL(called, 2);
  CAF_CHECK(x.take_or_wait(30, later));
  x.give(30);
  CAF_CHECK_EQUAL(called, 2);
}

CAF_TEST(what is larger than the bound travels alone) {
  credits x{100};
  CAF_CHECK(x.take(500));
  CAF_CHECK(!x.take(1));
  x.give(500);
  CAF_CHECK(x.take(1));
  CAF_CHECK(!x.take(500));
  CAF_CHECK_EQUAL(x.taken(), 1u);
}
