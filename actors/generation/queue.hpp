// The generations that wait for their turn, in accepted order, and what each has been told of its place. A plain class.
#pragma once

#include "actors/messages.hpp"

#include <deque>
#include <optional>

namespace segue {

class generation_queue {
public:
  /// A place that is worth telling: `seq` numbers what is told to one generation, from 0.
  struct place_change {
    generation_row row; ///< with its place
    uint64_t seq = 0;
  };

  size_t size() const { return waiting_.size(); }
  bool empty() const { return waiting_.empty(); }
  void clear() { waiting_.clear(); }

  void push(generation_row row);

  /// The next one.
  generation_row pop();

  /// Takes one out of the line.
  std::optional<generation_row> take(const std::string& request_id);

  /// The row with its place: 1 is the next one.
  std::optional<generation_row> find(const std::string& request_id) const;

  /// What has changed since it was told: every step of the first ten places, further behind every tenth of the way, so that
  /// a long line does not write an event into each of its streams whenever somebody's turn comes.
  std::vector<place_change> changes();

  /// What was told went under a wrong number, for an earlier life of the manager has told something, or something was lost
  /// on the way: it is told again, as `seq`.
  void tell_again(const std::string& request_id, uint64_t seq);

private:
  struct waiting {
    generation_row row;
    uint64_t told = 0; ///< the place; 0: nothing yet
    uint64_t next_seq = 0;
  };

  std::deque<waiting> waiting_;
};

} // namespace segue
