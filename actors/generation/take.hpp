// The sound of one attempt as it is made: where in the piece it is, and what of it is new. A plain class.
#pragma once

#include "actors/ids.hpp"
#include "actors/payload.hpp"

#include <algorithm>

namespace segue {

/// Positions are bytes of the log. What was durable before the attempt is made again, as far as the generator does not
/// begin behind it, and dropped.
class take {
public:
  /// `known` is where the durable sound ends.
  explicit take(position known = 0) : known_(known), made_(0) {}

  /// The generator's first frame belongs at `starts_at`. False: behind what is known, there would be a gap.
  bool begin(position starts_at) {
    if (starts_at > known_)
      return false;
    made_ = starts_at;
    return true;
  }

  struct addition {
    position at = 0;
    payload bytes; ///< empty: everything was known
  };

  /// The next frames of the generator. Returns what of them is new.
  addition add(const payload& frames) {
    auto at = std::max(made_, known_);
    auto known = std::min<position>(at - made_, frames.size());
    made_ += frames.size();
    return {at, frames.from(known)};
  }

  position known() const { return known_; }

  /// Bytes made beyond what was known.
  uint64_t added() const { return made_ > known_ ? made_ - known_ : 0; }

private:
  position known_;
  position made_;
};

} // namespace segue
