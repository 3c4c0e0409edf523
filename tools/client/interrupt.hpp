#pragma once

#include <csignal>

namespace segue::client {

/// While it lives, the first Ctrl-C only raises a flag (see `interrupted()`), a second one quits at once with 130, and
/// a closed pipe is an error of `write` instead of the end of the process. Puts the old handlers back when it goes.
class interrupt_guard {
public:
  interrupt_guard();
  ~interrupt_guard();
  interrupt_guard(const interrupt_guard&) = delete;
  interrupt_guard& operator=(const interrupt_guard&) = delete;

private:
  struct sigaction old_interrupt_ {};
  struct sigaction old_pipe_ {};
};

/// True once Ctrl-C was pressed under an `interrupt_guard`.
[[nodiscard]] bool interrupted() noexcept;

} // namespace segue::client
