#include "tools/client/interrupt.hpp"

#include <unistd.h>

#include "tools/client/exit_codes.hpp"

namespace segue::client {

namespace {

volatile std::sig_atomic_t interrupt_flag = 0;

extern "C" void on_interrupt(int) {
  if (interrupt_flag != 0)
    _exit(exit_with::interrupted);
  interrupt_flag = 1;
}

} // namespace

interrupt_guard::interrupt_guard() {
  struct sigaction action {};
  sigemptyset(&action.sa_mask);
  action.sa_handler = on_interrupt; // no SA_RESTART: a blocked write or sleep must notice
  sigaction(SIGINT, &action, &old_interrupt_);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, &old_pipe_);
}

interrupt_guard::~interrupt_guard() {
  sigaction(SIGINT, &old_interrupt_, nullptr);
  sigaction(SIGPIPE, &old_pipe_, nullptr);
}

bool interrupted() noexcept { return interrupt_flag != 0; }

} // namespace segue::client
