#include "actors/stream/ring.hpp"

#include <algorithm>
#include <cassert>

namespace segue {

void ring::push(chunk next) {
  assert(records_.empty() || records_.back().end() == next.start);
  bytes_ += next.bytes.size();
  records_.push_back(std::move(next));
  while (bytes_ > capacity_ && records_.size() > 1) {
    bytes_ -= records_.front().bytes.size();
    records_.pop_front();
  }
}

std::optional<std::vector<chunk>> ring::read(position at, uint64_t limit) const {
  auto record = std::partition_point(records_.begin(), records_.end(), [at](const chunk& x) { return x.end() <= at; });
  auto first = record->from(at);
  if (!first)
    return std::nullopt;
  uint64_t size = first->bytes.size();
  std::vector<chunk> found{std::move(*first)};
  for (++record; record != records_.end() && found.size() < most_records && size + record->bytes.size() <= limit; ++record) {
    size += record->bytes.size();
    found.push_back(*record);
  }
  return found;
}

} // namespace segue
