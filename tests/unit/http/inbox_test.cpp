#define CAF_SUITE http.inbox

#include "http/inbox.hpp"

#include <caf/all.hpp>

#include <boost/asio/executor_work_guard.hpp>

#include <thread>

#include "tests/support/test.hpp"

using namespace segue::http;

namespace {

struct fixture {
  asio::io_context io{1};
  size_t woken = 0;
  std::vector<int> got;
  inbox box{io, [this] { run(); }};

  void run() {
    ++woken;
    do
      for (auto& x : box.take())
        got.push_back(x.message->content().get_as<int>(0));
    while (!box.rest());
  }

  static inbox::letter letter(int number) {
    return {nullptr, caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, number)};
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(inbox_tests, fixture)

CAF_TEST(many letters wake the thread once) {
  for (int i = 0; i < 5; ++i)
    box.add(letter(i));
  CAF_CHECK_EQUAL(io.poll(), 1u);
  CAF_CHECK_EQUAL(woken, 1u);
  CAF_CHECK(got == (std::vector{0, 1, 2, 3, 4}));
  io.restart();
  box.add(letter(5));
  box.wake();
  CAF_CHECK_EQUAL(io.poll(), 1u);
  CAF_CHECK_EQUAL(got.size(), 6u);
}

CAF_TEST(the thread is woken without a letter as well) {
  box.wake();
  box.wake();
  CAF_CHECK_EQUAL(io.poll(), 1u);
  CAF_CHECK_EQUAL(woken, 1u);
}

CAF_TEST(whatever several threads leave arrives once and in the order of each) {
  constexpr int threads = 4;
  constexpr int each = 5'000;
  auto work = asio::make_work_guard(io);
  std::vector<std::thread> writers;
  for (int who = 0; who < threads; ++who)
    writers.emplace_back([this, who] {
      for (int i = 0; i < each; ++i)
        box.add(letter(who * each + i));
    });
  while (got.size() < threads * each)
    io.run_one_for(std::chrono::seconds{10});
  for (auto& x : writers)
    x.join();
  std::vector<int> next(threads, 0);
  for (auto x : got)
    CAF_REQUIRE_EQUAL(x % each, next[static_cast<size_t>(x / each)]++);
  CAF_CHECK(next == std::vector<int>(threads, each));
  CAF_CHECK_LESS_OR_EQUAL(woken, got.size());
}

CAF_TEST(a closed inbox drops what is in it and what comes) {
  box.add(letter(1));
  box.close();
  box.add(letter(2));
  io.poll();
  CAF_CHECK(got.empty());
}

CAF_TEST(threads may still write when its thread has gone) {
  std::atomic<bool> done = false;
  auto short_lived = std::make_unique<asio::io_context>(1);
  inbox* at = nullptr;
  auto shared = std::make_shared<inbox>(*short_lived, [&at] {
    at->take();
    at->rest();
  });
  at = shared.get();
  std::thread writer{[shared, &done] {
    while (!done)
      shared->add(letter(1));
  }};
  for (int i = 0; i < 1'000; ++i)
    short_lived->run_one_for(std::chrono::seconds{10}); // each of them was woken by the writer
  shared->close();
  short_lived.reset();
  std::this_thread::sleep_for(std::chrono::milliseconds{5});
  CAF_CHECK(shared->take().empty());
  done = true;
  writer.join();
}

CAF_TEST_FIXTURE_SCOPE_END()
