// Where an I/O thread and the actors meet.
#pragma once

#include <boost/asio/io_context.hpp>
#include <caf/actor_system.hpp>
#include <caf/execution_unit.hpp>

namespace segue::http {

namespace asio = boost::asio;

/// An I/O thread as a thread that runs actors: those that a handler's message wakes take their turn here, behind the handler.
/// A request then reaches its stream, and what the stream asks of the store, without waking another thread.
class io_unit final : public caf::execution_unit {
public:
  io_unit(caf::actor_system& system, asio::io_context& io) : caf::execution_unit(&system), io_(io) {}

  asio::io_context& io() { return io_; }

  void exec_later(caf::resumable* woken) override;

private:
  asio::io_context& io_;
};

} // namespace segue::http
