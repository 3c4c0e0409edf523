#define CAF_SUITE http.io_unit

#include "http/session.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
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

CAF_TEST(one session asks again and again) {
  auto other = system.spawn([]() -> stream_like::behavior_type { return {[](const describe_actor&) { return actor_description{}; }}; });
  asio::io_context io{1};
  io_unit unit{system, io};
  session asking{unit};
  int answered = 0;
  auto ask = [&]() -> asio::awaitable<void> {
    for (int i = 0; i < 1'000; ++i) {
      describe_actor question;
      auto answer = co_await asking.ask(other, question);
      answered += answer ? 1 : 0;
    }
  };
  asio::co_spawn(io, ask(), [&io](std::exception_ptr) { io.stop(); });
  io.run();
  CAF_CHECK_EQUAL(answered, 1'000);
}

CAF_TEST(a late answer is no answer to the next question) {
  auto slow = system.spawn([](stream_like::pointer self) -> stream_like::behavior_type {
    return {[self, late = std::make_shared<std::vector<caf::typed_response_promise<actor_description>>>()](const describe_actor&) {
      auto promise = self->make_response_promise<caf::typed_response_promise<actor_description>>();
      late->push_back(promise);
      if (late->size() == 2) { // both at once
        (*late)[0].deliver(actor_description{"first", "", 0, 0, {}});
        (*late)[1].deliver(actor_description{"second", "", 0, 0, {}});
      }
      return promise;
    }};
  });
  asio::io_context io{1};
  io_unit unit{system, io};
  session asking{unit};
  std::string heard;
  auto ask = [&]() -> asio::awaitable<void> {
    describe_actor question;
    auto first = co_await asking.ask(slow, question, std::chrono::milliseconds{20});
    heard += first ? first->name : segue::to_string(code_of(first.error()));
    auto second = co_await asking.ask(slow, question);
    heard += second ? " " + second->name : " nothing";
  };
  asio::co_spawn(io, ask(), [&io](std::exception_ptr) { io.stop(); });
  io.run();
  CAF_CHECK_EQUAL(heard, "timeout second");
}

CAF_TEST(who waits for an answer when the thread stops goes with it) {
  auto silent = system.spawn([](stream_like::pointer self) -> stream_like::behavior_type {
    return {[self](const describe_actor&) { return self->make_response_promise<caf::typed_response_promise<actor_description>>(); }};
  });
  auto alive = std::make_shared<int>();
  {
    asio::io_context io{1};
    io_unit unit{system, io};
    session asking{unit};
    auto ask = [&, mine = alive]() -> asio::awaitable<void> {
      describe_actor question;
      co_await asking.ask(silent, question);
    };
    asio::co_spawn(io, ask, asio::detached);
    io.poll();
    asking.abort(); // it could go on, and the loop has stopped
    CAF_CHECK_GREATER(alive.use_count(), 1);
  }
  CAF_CHECK_EQUAL(alive.use_count(), 1);
}

CAF_TEST_FIXTURE_SCOPE_END()
