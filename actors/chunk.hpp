// One record of a log: what one append stored.
#pragma once

#include "actors/ids.hpp"
#include "actors/payload.hpp"

#include <optional>
#include <vector>

namespace segue {

/// A record is one append, and stays one wherever it is kept; who reads may be given several as one, or a part.
struct chunk {
  position start = 0;            ///< where its first byte lies
  payload bytes;                 ///< never empty
  std::vector<uint32_t> lengths; ///< sizes of the JSON messages inside, adding up to the size; empty: just bytes

  position end() const { return start + bytes.size(); }

  /// The part from `at` on (start <= at < end), or nothing when `at` lies inside a message.
  std::optional<chunk> from(position at) const;

  /// The part before `at` (start < at <= end), or nothing when `at` lies inside a message.
  std::optional<chunk> until(position at) const;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, chunk& x) {
  return f(caf::meta::type_name("chunk"), x.start, x.bytes, x.lengths);
}

} // namespace segue
