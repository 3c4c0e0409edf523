// Where an I/O thread and the actors meet.
#pragma once

#include <boost/asio/io_context.hpp>
#include <caf/actor_system.hpp>
#include <caf/execution_unit.hpp>

#include <deque>
#include <memory>

namespace segue::http {

namespace asio = boost::asio;

/// An I/O thread as a thread that runs actors: those that a handler's message wakes take their turn here, behind the handler,
/// and those that these wake behind them. A request then reaches its stream, and what the stream asks of the store, without
/// waking another thread. Whom another thread wakes in its name is left to the scheduler.
class io_unit final : public caf::execution_unit {
public:
  io_unit(caf::actor_system& system, asio::io_context& io) : caf::execution_unit(&system), io_(io) {}

  asio::io_context& io() { return io_; }

  void exec_later(caf::resumable* woken) override;

private:
  /// What a thread that stops leaves behind is run by the scheduler.
  struct hand_over {
    caf::actor_system* system = nullptr;
    void operator()(caf::resumable* woken) const;
  };

  void run_later();
  void run();

  static constexpr size_t most = 32; ///< in a row: then sockets come first

  asio::io_context& io_;
  std::deque<std::unique_ptr<caf::resumable, hand_over>> woken_;
  bool posted_ = false; ///< `run` waits among the handlers of `io_`, or runs
};

} // namespace segue::http
