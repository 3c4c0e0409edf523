#define CAF_SUITE actors.turns

#include "actors/turns.hpp"

#include <caf/all.hpp>

#include <future>
#include <mutex>
#include <thread>

#include "tests/support/test.hpp"

using namespace segue;

namespace {

/// Notes on which thread each message was handled.
class notes {
public:
  void take() {
    std::lock_guard lock{mutex_};
    threads_.push_back(std::this_thread::get_id());
  }

  std::vector<std::thread::id> wait_for(size_t count) {
    for (int i = 0; i < 2'000; ++i) {
      if (std::lock_guard lock{mutex_}; threads_.size() >= count)
        return threads_;
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    std::lock_guard lock{mutex_};
    return threads_;
  }

private:
  std::mutex mutex_;
  std::vector<std::thread::id> threads_;
};

size_t here(const std::vector<std::thread::id>& threads) {
  return static_cast<size_t>(std::count(threads.begin(), threads.end(), std::this_thread::get_id()));
}

struct fixture {
  caf::actor_system_config config;
  caf::actor_system system{config};
  notes noted;

  caf::actor noting() {
    return system.spawn<caf::lazy_init>([this](caf::event_based_actor*) -> caf::behavior { return {[this](int) { noted.take(); }}; });
  }

  static void wake(const caf::actor& x, caf::execution_unit& from) {
    x->enqueue(nullptr, caf::make_message_id(), caf::make_message(1), &from);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(turns_tests, fixture)

CAF_TEST(of many who are woken a few run here and the others on the scheduler) {
  few_turns turns{system};
  std::vector<caf::actor> woken;
  for (size_t i = 0; i < few_turns::most + 4; ++i)
    woken.push_back(noting());
  for (const auto& x : woken)
    wake(x, turns);
  turns.run();
  auto threads = noted.wait_for(woken.size());
  CAF_CHECK_EQUAL(threads.size(), woken.size());
  CAF_CHECK_EQUAL(here(threads), few_turns::most);
}

CAF_TEST(whom a woken actor wakes has its turn as well) {
  few_turns turns{system};
  auto last = noting();
  auto first = system.spawn<caf::lazy_init>([last](caf::event_based_actor* self) -> caf::behavior {
    return {[self, last](int x) { self->send(last, x); }};
  });
  wake(first, turns);
  turns.run();
  auto threads = noted.wait_for(1);
  CAF_CHECK_EQUAL(here(threads), 1u);
}

CAF_TEST(an actor with much to do goes on on the scheduler and forgets nothing) {
  few_turns turns{system};
  auto busy = noting();
  for (int i = 0; i < 100; ++i)
    wake(busy, turns);
  turns.run();
  auto threads = noted.wait_for(100);
  CAF_CHECK_EQUAL(threads.size(), 100u);
  CAF_CHECK(here(threads) > 0 && here(threads) < 50);
}

CAF_TEST_FIXTURE_SCOPE_END()
