#include "actors/stream/producers.hpp"

namespace segue {

void producers::load(const std::vector<producer_tag>& durable) {
  newest_.clear();
  for (const auto& tag : durable)
    newest_[tag.id] = tag;
}

producers::verdict producers::judge(const producer_tag& tag) const {
  auto known = newest_.find(tag.id);
  bool new_epoch = known == newest_.end() || tag.epoch > known->second.epoch;
  if (!new_epoch) {
    if (tag.epoch < known->second.epoch)
      return verdict::stale;
    if (tag.seq <= known->second.seq)
      return verdict::duplicate;
    if (tag.seq != known->second.seq + 1)
      return verdict::gap;
  } else if (tag.seq != 0) {
    return known == newest_.end() ? verdict::gap : verdict::bad_start;
  }
  return verdict::accepted;
}

std::optional<producer_tag> producers::last(const std::string& id) const {
  auto known = newest_.find(id);
  return known == newest_.end() ? std::nullopt : std::optional{known->second};
}

} // namespace segue
