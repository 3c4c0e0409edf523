#include "actors/lineage.hpp"

#include <algorithm>

namespace segue {

std::vector<ancestor> holders_of(const stream_row& row) {
  auto holders = row.lineage;
  holders.push_back({row.id, row.tail});
  return holders;
}

std::vector<ancestor> lineage_of_fork(const stream_row& parent, position at) {
  std::vector<ancestor> lineage;
  position known = 0;
  for (const auto& x : parent.lineage) {
    if (known >= at)
      return lineage;
    lineage.push_back({x.id, std::min(x.until, at)});
    known = x.until;
  }
  if (known < at)
    lineage.push_back({parent.id, at});
  return lineage;
}

} // namespace segue
