#include "actors/generation/queue.hpp"

#include <algorithm>

namespace segue {

namespace {

constexpr uint64_t told_always = 10;

template <class Line>
auto look_up(Line& line, const std::string& request_id) {
  return std::find_if(line.begin(), line.end(), [&](const auto& x) { return x.row.request_id == request_id; });
}

} // namespace

void generation_queue::push(generation_row row) {
  auto at = std::upper_bound(waiting_.begin(), waiting_.end(), row,
      [](const generation_row& a, const waiting& b) { return a.accepted < b.row.accepted; });
  waiting_.insert(at, {std::move(row), 0, 0});
}

generation_row generation_queue::pop() {
  auto row = std::move(waiting_.front().row);
  waiting_.pop_front();
  return row;
}

std::optional<generation_row> generation_queue::take(const std::string& request_id) {
  auto at = look_up(waiting_, request_id);
  if (at == waiting_.end())
    return std::nullopt;
  auto row = std::move(at->row);
  waiting_.erase(at);
  return row;
}

std::optional<generation_row> generation_queue::find(const std::string& request_id) const {
  auto at = look_up(waiting_, request_id);
  if (at == waiting_.end())
    return std::nullopt;
  auto row = at->row;
  row.place = static_cast<uint64_t>(at - waiting_.begin()) + 1;
  return row;
}

std::vector<generation_queue::place_change> generation_queue::changes() {
  std::vector<place_change> changed;
  uint64_t place = 0;
  for (auto& x : waiting_) {
    ++place;
    bool worth_telling = x.told == 0 || (place != x.told && (place <= told_always || place * 10 <= x.told * 9));
    if (!worth_telling)
      continue;
    x.told = place;
    changed.push_back({x.row, x.next_seq++});
    changed.back().row.place = place;
  }
  return changed;
}

void generation_queue::tell_again(const std::string& request_id, uint64_t seq) {
  auto at = look_up(waiting_, request_id);
  if (at == waiting_.end())
    return;
  at->next_seq = seq;
  at->told = 0;
}

} // namespace segue
