#define CAF_SUITE actors.stream.parked_readers

#include "actors/stream/parked_readers.hpp"

#include <chrono>
#include <string>

#include "tests/support/test.hpp"

using namespace segue;

namespace {

using instant = std::chrono::steady_clock::time_point;
using readers = parked_readers<int, instant>;

instant at(int ms) { return instant{} + std::chrono::milliseconds{ms}; }

std::string who(const std::vector<readers::reader>& taken) {
  std::string names;
  for (const auto& x : taken)
    names += std::to_string(x.ticket) + " ";
  return names;
}

/// At 5, 5, 9 and 5; for 10, 30, 20 and 40 ms.
readers four() {
  readers x;
  x.park({5, 1, at(10), 1});
  x.park({5, 1, at(30), 2});
  x.park({9, 1, at(20), 3});
  x.park({5, 1, at(40), 4});
  return x;
}

} // namespace

CAF_TEST(who is told something leaves in the order of coming) {
  auto x = four();
  CAF_CHECK_EQUAL(who(x.take_ready(5, false)), "");
  CAF_CHECK_EQUAL(who(x.take_ready(9, false)), "1 2 4 ");
  CAF_CHECK_EQUAL(who(x.take_ready(9, true)), "3 ");
  CAF_CHECK(x.empty());
}

CAF_TEST(whose time is over leaves) {
  auto x = four();
  CAF_CHECK(x.next_deadline() == at(10));
  CAF_CHECK_EQUAL(who(x.take_expired(at(9))), "");
  CAF_CHECK_EQUAL(who(x.take_expired(at(20))), "1 3 ");
  CAF_CHECK(x.next_deadline() == at(30));
  CAF_CHECK_EQUAL(who(x.take_all()), "2 4 ");
  CAF_CHECK(x.next_deadline() == instant::max());
}
