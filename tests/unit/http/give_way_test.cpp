#define CAF_SUITE http.give_way

#include "http/give_way.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include <string>

#include "tests/support/test.hpp"

using namespace segue::http;

namespace asio = boost::asio;

namespace {

struct fixture {
  asio::io_context io{1};
  std::string done;

  asio::awaitable<void> replay(char name, int parts) {
    for (int i = 0; i < parts; ++i) {
      co_await give_way(io);
      done += name;
    }
  }

  void start(char name, int parts) { asio::co_spawn(io, replay(name, parts), asio::detached); }

  /// Something live that needs several steps, one after the other.
  void live(int steps) {
    done += '!';
    if (steps > 1)
      asio::post(io, [this, steps] { live(steps - 1); });
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(give_way_tests, fixture)

CAF_TEST(replays take turns) {
  start('a', 3);
  start('b', 3);
  start('c', 1);
  io.run();
  CAF_CHECK_EQUAL(done, "abcabab");
}

CAF_TEST(each step of what is live waits for one part at most however many replays there are) {
  for (int i = 0; i < 20; ++i)
    start('.', 5);
  asio::post(io, [this] { live(4); });
  io.run();
  CAF_CHECK_EQUAL(done.size(), 104u);
  auto first = done.find('!');
  auto last = done.rfind('!');
  CAF_CHECK_LESS_OR_EQUAL(first, 1u);
  CAF_CHECK_LESS_OR_EQUAL(last - first, 6u);
}

CAF_TEST(who waits when the loop ends is dropped with it) {
  start('a', 3);
  io.run_one();
  CAF_CHECK_EQUAL(done, "");
}

CAF_TEST_FIXTURE_SCOPE_END()
