// Where an I/O thread and the actors meet.
#pragma once

#include "http/inbox.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/execution_unit.hpp>

#include <deque>
#include <memory>

namespace segue::http {

/// An I/O thread as a thread that runs actors: those that live on it (`io_actor`), and those that they wake. A request then reaches
/// its stream, and what the stream asks of the store, without waking another thread. Whom another thread wakes in its name is
/// left to the scheduler.
class io_unit final : public caf::execution_unit {
public:
  io_unit(caf::actor_system& system, asio::io_context& io);
  ~io_unit() override { close(); }

  asio::io_context& io() { return io_; }

  /// To the actors that live here.
  const std::shared_ptr<inbox>& letters() const { return letters_; }

  /// An actor that was woken takes its turn behind whatever runs now.
  void exec_later(caf::resumable* woken) override;

  /// As that: on this thread, behind whatever runs now.
  void go_on_later(std::function<void()> go_on);

  /// The thread has ended, and no other one uses `io` any more; to be called before that goes.
  void close();

private:
  /// What a thread that stops leaves behind is run by the scheduler.
  struct hand_over {
    caf::actor_system* system = nullptr;
    void operator()(caf::resumable* woken) const;
  };

  void run();
  size_t run_letters();
  size_t run_woken();
  size_t run_ready();

  static constexpr size_t most = 32; ///< in a row: then sockets come first

  asio::io_context& io_;
  std::shared_ptr<inbox> letters_;
  std::deque<std::unique_ptr<caf::resumable, hand_over>> woken_;
  std::deque<std::function<void()>> ready_;
};

/// An actor that lives on an I/O thread: its messages are handled there, one by one as they come.
class io_actor : public caf::event_based_actor {
public:
  io_actor(caf::actor_config& config, io_unit& on) : caf::event_based_actor(config), letters_(on.letters()) {}

  using caf::event_based_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr message, caf::execution_unit* host) override;

  // -- on its thread
  void handle(caf::mailbox_element& message, io_unit& on);

  /// Ends the actor. Messages that come later are dropped.
  void close();

protected:
  caf::behavior make_behavior() override;

private:
  std::shared_ptr<inbox> letters_; ///< which may outlive the thread, as the actor may
  bool closed_ = false;
};

} // namespace segue::http
