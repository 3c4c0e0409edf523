// How long a group of writes waits for company.
#pragma once

#include "adapters/ports.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace segue {

/// A sync costs the same however many writes it makes durable, so one who appends to a stream is synced at once, and when many
/// streams are appended to, syncs begin a little apart: what arrives meanwhile shares the next one. Databases call it a commit
/// delay with siblings.
class commit_pace {
public:
  using clock = std::chrono::steady_clock;

  static constexpr size_t remembered = 16;                ///< appends
  static constexpr std::chrono::milliseconds window{8};   ///< in which they must have come
  static constexpr size_t siblings = 8;                   ///< different streams among them
  static constexpr std::chrono::microseconds apart{2000}; ///< from one sync to the next,
  static constexpr size_t enough = 12;                    ///< unless so many writes have gathered

  void appended(stream_id to, clock::time_point now) { recent_[next_++ % remembered] = {to, now}; }

  /// How long the next commit, of so many writes, had better wait; zero: it had not.
  clock::duration wait(clock::time_point now, size_t gathered) const {
    if (gathered >= enough || now >= began_ + apart || !crowded(now))
      return {};
    return began_ + apart - now;
  }

  void began(clock::time_point now) { began_ = now; }

private:
  struct append {
    stream_id to = 0;
    clock::time_point at;
  };

  bool crowded(clock::time_point now) const {
    if (next_ < remembered || recent_[next_ % remembered].at + window < now)
      return false;
    std::array<stream_id, remembered> streams;
    std::transform(recent_.begin(), recent_.end(), streams.begin(), [](const append& x) { return x.to; });
    std::sort(streams.begin(), streams.end());
    return std::unique(streams.begin(), streams.end()) - streams.begin() >= static_cast<ptrdiff_t>(siblings);
  }

  std::array<append, remembered> recent_{};
  size_t next_ = 0;
  clock::time_point began_{};
};

} // namespace segue
