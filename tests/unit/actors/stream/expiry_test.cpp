#define CAF_SUITE actors.stream.expiry

#include "actors/stream/expiry.hpp"

#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

const expiry::time_point start{1'000h};
constexpr int64_t unix_start = 1'795'255'200'000;

expiry with(int64_t ttl_s, int64_t expires_at_ms = 0) {
  stream_row row;
  row.ttl_s = ttl_s;
  row.expires_at_ms = expires_at_ms;
  return {row, start, unix_start};
}

} // namespace

CAF_TEST(without a time to live nothing expires) {
  auto x = with(-1);
  CAF_CHECK(x.deadline() == expiry::never);
  x.use(start + 1h);
  CAF_CHECK(!x.over(start + 100'000h));
}

CAF_TEST(a time to live begins anew with each use) {
  auto x = with(10);
  CAF_CHECK(!x.over(start + 9'999ms));
  CAF_CHECK(x.over(start + 10s));
  x.use(start + 7s);
  CAF_CHECK(!x.over(start + 16'999ms));
  CAF_CHECK(x.over(start + 17s));
}

CAF_TEST(no time to live is over at once) { CAF_CHECK(with(0).over(start)); }

CAF_TEST(a fixed time is moved by nothing) {
  auto x = with(-1, unix_start + 10'000);
  x.use(start + 9s);
  CAF_CHECK(!x.over(start + 9'999ms));
  CAF_CHECK(x.over(start + 10s));
  CAF_CHECK(with(-1, unix_start - 1).over(start));
}

CAF_TEST(even the longest times can be added up) {
  CAF_CHECK(!with(INT64_MAX).over(start + 100'000h));
  CAF_CHECK(!with(-1, INT64_MAX).over(start + 100'000h));
}

CAF_TEST(what was used long before ends earlier) {
  auto x = with(10);
  x.end_by(start + 3s);
  CAF_CHECK(x.over(start + 3s));
  x.use(start + 2s);
  CAF_CHECK(x.deadline() == start + 12s);
}

CAF_TEST(one whose time is over may be taken later) {
  expiries all;
  all.set("again", start, start + 3s);
  all.set("early", start + 1s);
  all.set("late", start + 5s, start + 3s);
  CAF_CHECK(all.deadline("again") == start);
  CAF_CHECK(all.next() == start + 1s);
  CAF_CHECK_EQUAL(all.take_over(start + 2s), std::vector<std::string>{"early"});
  CAF_CHECK_EQUAL(all.take_over(start + 4s), std::vector<std::string>{"again"});
  CAF_CHECK(all.next() == start + 5s);
}

CAF_TEST(those whose time is over are taken in its order) {
  expiries all;
  all.set("late", start + 3s);
  all.set("early", start + 1s);
  all.set("never", expiry::never);
  all.set("moved", start + 1s);
  all.set("moved", start + 2s);
  all.set("forgotten", start);
  all.forget("forgotten");
  CAF_CHECK(all.next() == start + 1s);
  CAF_CHECK(all.deadline("moved") == start + 2s);
  CAF_CHECK(all.deadline("never") == expiry::never);
  auto taken = all.take_over(start + 2s);
  CAF_CHECK_EQUAL(taken, (std::vector<std::string>{"early", "moved"}));
  CAF_CHECK_EQUAL(all.take_over(start + 2s).size(), 0u);
  CAF_CHECK(all.next() == start + 3s);
  CAF_CHECK_EQUAL(all.take_over(start + 9s).size(), 1u);
  CAF_CHECK(all.next() == expiry::never);
}
