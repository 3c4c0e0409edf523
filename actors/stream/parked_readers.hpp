// The reads that wait at the tail of a stream, each until something newer comes or its time is over. A plain class.
#pragma once

#include "actors/ids.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace segue {

/// `Ticket` is what is kept of whoever waits: a promise; in tests, a number. `Time` is a point in time.
template <class Ticket, class Time>
class parked_readers {
public:
  struct reader {
    position after = 0;
    uint64_t limit = 0;
    Time deadline;
    Ticket ticket;
  };

  size_t size() const { return parked_.size(); }
  bool empty() const { return parked_.empty(); }

  void park(reader x) { parked_.push_back(std::move(x)); }

  /// Takes out those for whom there is something to tell: bytes behind their position, or that nothing will follow.
  std::vector<reader> take_ready(position tail, bool closed) {
    return take([=](const reader& x) { return closed || x.after < tail; });
  }

  std::vector<reader> take_expired(Time now) {
    return take([=](const reader& x) { return x.deadline <= now; });
  }

  std::vector<reader> take_all() { return std::exchange(parked_, {}); }

  /// When the first one's time is over; `Time::max()`: nobody waits.
  Time next_deadline() const {
    auto next = Time::max();
    for (const auto& x : parked_)
      next = std::min(next, x.deadline);
    return next;
  }

private:
  template <class Predicate>
  std::vector<reader> take(Predicate leaves) {
    auto stay = std::stable_partition(parked_.begin(), parked_.end(), leaves);
    std::vector<reader> taken{std::make_move_iterator(parked_.begin()), std::make_move_iterator(stay)};
    parked_.erase(parked_.begin(), stay);
    return taken;
  }

  std::vector<reader> parked_;
};

} // namespace segue
