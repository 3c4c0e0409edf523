#define CAF_SUITE http.time_limit

#include "http/time_limit.hpp"

#include <boost/asio/io_context.hpp>

#include <optional>
#include <string>

#include "tests/support/test.hpp"

using namespace segue::http;
using namespace std::chrono_literals;

namespace {

struct fixture {
  boost::asio::io_context io;
  std::string told;

  auto tell(std::string name) {
    return [this, name] { told += name; };
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(time_limit_tests, fixture)

CAF_TEST(limits end in the order of their times whatever the order they began in) {
  time_limit third{io.get_executor(), 30ms, tell("3")};
  time_limit first{io.get_executor(), 5ms, tell("1")};
  time_limit second{io.get_executor(), 15ms, tell("2")};
  CAF_CHECK(!first.over());
  io.run_for(5s);
  CAF_CHECK_EQUAL(told, "123");
  CAF_CHECK(first.over() && second.over() && third.over());
}

CAF_TEST(a limit that has gone in time is not called and holds up none of the others) {
  std::optional<time_limit> gone{std::in_place, io.get_executor(), 5ms, tell("gone")};
  time_limit stays{io.get_executor(), 20ms, tell("stays")};
  gone.reset();
  io.run_for(5s);
  CAF_CHECK_EQUAL(told, "stays");
}

CAF_TEST(who is told that the time is over may begin and end limits) {
  std::optional<time_limit> other{std::in_place, io.get_executor(), 10ms, tell("other")};
  std::optional<time_limit> next;
  std::optional<time_limit> itself;
  itself.emplace(io.get_executor(), 5ms, [&] {
    told += "ended ";
    other.reset();
    next.emplace(io.get_executor(), 1ms, tell("next"));
    itself.reset();
  });
  io.run_for(5s);
  CAF_CHECK_EQUAL(told, "ended next");
}

CAF_TEST(a limit may outlive the loop that it is on) {
  std::optional<boost::asio::io_context> short_lived{std::in_place};
  time_limit late{short_lived->get_executor(), 1h, tell("late")};
  short_lived->run_for(1ms);
  short_lived.reset();
  CAF_CHECK(!late.over());
  CAF_CHECK_EQUAL(told, "");
}

CAF_TEST_FIXTURE_SCOPE_END()
