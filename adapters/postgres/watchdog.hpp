// Bounds calls that have no bound of their own: libpq waits for an answer as long as the socket is open.
#pragma once

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

namespace segue::postgres {

/// Shuts a socket down when its time is over, so that whoever waits for it goes on with an error. Has a thread of its
/// own.
class watchdog {
public:
  using clock = std::chrono::steady_clock;

  watchdog();
  ~watchdog();

private:
  struct watched {
    int socket;
    clock::time_point deadline;
    bool cut = false;
  };

public:
  /// Watches one socket for as long as this object lives. The socket must stay open that long.
  class watch {
  public:
    watch(watchdog& dog, int socket, clock::time_point deadline);
    ~watch();
    watch(const watch&) = delete;
    watch& operator=(const watch&) = delete;

    /// Whether the time was over.
    bool cut() const;

  private:
    watchdog& dog_;
    std::list<watched>::iterator entry_;
  };

private:
  void run();
  clock::time_point next_deadline() const;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::list<watched> all_;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace segue::postgres
