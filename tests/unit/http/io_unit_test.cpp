#define CAF_SUITE http.io_unit

#include "http/session.hpp"

#include <boost/asio/co_spawn.hpp>
#include <caf/all.hpp>

#include <future>
#include <thread>

#include "tests/support/test.hpp"

using namespace segue;
using namespace segue::http;

namespace {

using stream_like = caf::typed_actor<caf::replies_to<describe_actor>::with<actor_description>>;

struct fixture {
  caf::actor_system_config config;
  caf::actor_system system{config};
  std::promise<std::thread::id> ran_on;

  stream_like asked() {
    return system.spawn<caf::lazy_init>([this]() -> stream_like::behavior_type {
      return {[this](const describe_actor&) {
        ran_on.set_value(std::this_thread::get_id());
        return actor_description{};
      }};
    });
  }

  static void wake(const stream_like& x, io_unit& on) {
    caf::actor_cast<caf::actor>(x)->enqueue(nullptr, caf::make_message_id(), caf::make_message(describe_actor{}), &on);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(io_unit_tests, fixture)

CAF_TEST(whom a session asks runs on the thread of the session) {
  auto other = asked();
  asio::io_context io{1};
  io_unit unit{system, io};
  session asking{unit};
  bool answered = false;
  auto ask = [&]() -> asio::awaitable<void> {
    describe_actor question;
    auto answer = co_await asking.ask(other, question);
    answered = static_cast<bool>(answer);
  };
  asio::co_spawn(io, ask(), [&io](std::exception_ptr) { io.stop(); });
  io.run();
  CAF_CHECK(answered);
  CAF_CHECK(ran_on.get_future().get() == std::this_thread::get_id());
}

CAF_TEST(whom a thread leaves behind when it stops runs on the scheduler) {
  auto other = asked();
  auto done = ran_on.get_future();
  {
    asio::io_context io{1};
    io_unit unit{system, io};
    asio::post(io, [&] { wake(other, unit); });
    io.run_one();
  }
  CAF_REQUIRE(done.wait_for(std::chrono::seconds{10}) == std::future_status::ready);
  CAF_CHECK(done.get() != std::this_thread::get_id());
}

CAF_TEST(whom another thread wakes runs on the scheduler) {
  auto other = asked();
  asio::io_context io{1};
  io_unit unit{system, io};
  wake(other, unit);
  CAF_CHECK(ran_on.get_future().get() != std::this_thread::get_id());
  CAF_CHECK_EQUAL(io.poll(), 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()
