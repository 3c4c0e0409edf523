// One call among all that are made of several engines goes wrong, whichever of them it is made of.
#pragma once

#include "adapters/ports.hpp"

#include "tests/support/test.hpp"

namespace segue {

/// When a call goes wrong.
enum class moment {
  before, ///< nothing is done, and nobody knows
  after,  ///< everything is done, and nobody knows
};

/// For one thread: tests run the hosts on the test scheduler.
class failing_calls {
public:
  /// The call with this number goes wrong, counted from 1 as of now. `crash`: as no process lives to make another one, none
  /// does anything from then on.
  void fail(size_t number, moment when, bool crash = false) {
    number_ = number;
    when_ = when;
    crash_ = crash;
    made_ = 0;
    happened_ = false;
  }

  /// What a new process does: its calls go well.
  void restart() { dead_ = false; }

  bool happened() const { return happened_; }
  bool dead() const { return dead_; }

  template <class Call>
  auto make(Call call) -> decltype(call()) {
    if (dead_)
      lose();
    if (++made_ != number_)
      return call();
    happened_ = true;
    dead_ = crash_;
    if (when_ == moment::after)
      call();
    lose();
  }

private:
  [[noreturn]] static void lose() { throw adapter_error{ec::timeout, "the answer is lost, says the test"}; }

  size_t number_ = 0; ///< 0: none
  size_t made_ = 0;
  moment when_ = moment::before;
  bool crash_ = false;
  bool happened_ = false;
  bool dead_ = false;
};

/// Lets call 1, 2, 3 … of all calls go wrong, until there are no more. Returns how many there are.
template <class Test>
size_t each_call(Test test) {
  size_t number = 1;
  while (test(number))
    ++number;
  CAF_MESSAGE(number - 1 << " calls");
  return number - 1;
}

} // namespace segue
