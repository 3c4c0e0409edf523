#define CAF_SUITE actors.thread_rank

#include "actors/thread_rank.hpp"

#include <sched.h>
#include <sys/resource.h>

#include <thread>

#include "tests/support/test.hpp"

using namespace segue;

namespace {

struct rank {
  int policy = -1;
  int niceness = -1;
};

/// Of a thread that has called `f`.
template <class F>
rank rank_after(F f) {
  rank found;
  std::thread{[&] {
    f();
    found = {::sched_getscheduler(0), ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()))};
  }}.join();
  return found;
}

} // namespace

CAF_TEST(a thread that steps back is nicer than others and they stay as they are) {
  auto usual = rank_after([] {});
  CAF_CHECK_EQUAL(rank_after(step_back).niceness, usual.niceness + 5);
  CAF_CHECK_EQUAL(rank_after([] {}).niceness, usual.niceness);
}

CAF_TEST(a thread that serves live sound takes nothing from others) {
  auto before = rank_after(step_back);
  auto live = rank_after([] {
    step_back();
    serve_live();
  });
  CAF_CHECK_EQUAL(live.policy, before.policy);
  CAF_CHECK_EQUAL(live.niceness, before.niceness);
}
