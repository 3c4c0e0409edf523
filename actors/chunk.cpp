#include "actors/chunk.hpp"

namespace segue {

std::optional<chunk> chunk::from(position at) const {
  if (at == start)
    return *this;
  auto skip = static_cast<size_t>(at - start);
  if (lengths.empty())
    return chunk{at, bytes.from(skip), {}};
  size_t seen = 0;
  for (size_t i = 0; i < lengths.size() && seen < skip;) {
    seen += lengths[i++];
    if (seen == skip)
      return chunk{at, bytes.from(skip), {lengths.begin() + static_cast<ptrdiff_t>(i), lengths.end()}};
  }
  return std::nullopt;
}

std::optional<chunk> chunk::until(position at) const {
  if (at == end())
    return *this;
  auto size = static_cast<size_t>(at - start);
  chunk head{start, bytes.first(size), {}};
  size_t seen = 0;
  for (auto length : lengths) {
    if (seen == size)
      break;
    seen += length;
    head.lengths.push_back(length);
  }
  return lengths.empty() || seen == size ? std::optional{std::move(head)} : std::nullopt;
}

} // namespace segue
