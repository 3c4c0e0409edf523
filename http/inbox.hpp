// What other threads leave for an I/O thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/mailbox_element.hpp>

#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

namespace segue::http {

namespace asio = boost::asio;

/// Messages to the actors of an I/O thread. Who leaves the first one wakes the thread, the others only add to it.
class inbox {
public:
  struct letter {
    caf::strong_actor_ptr to;
    caf::mailbox_element_ptr message;
  };

  /// `wake` is called on the thread of `io`.
  inbox(asio::io_context& io, std::function<void()> wake) : io_(io), wake_(std::move(wake)) {}

  /// By any thread. Dropped once it is closed.
  void add(letter x);

  /// Afterwards no other thread uses `io` any more.
  void close();

  // -- on the thread of `io`
  void wake();                ///< calls `wake` soon, unless it is about to be called
  std::vector<letter> take(); ///< of whoever is woken
  bool rest();                ///< of whoever is woken, and sees nothing left to do; false: something has come

private:
  asio::io_context& io_;
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::vector<letter> letters_;
  bool awake_ = false;
  bool closed_ = false;
  std::atomic<size_t> waking_ = 0; ///< who does it outside the lock, which the woken one wants
};

} // namespace segue::http
