#include "actors/supervision.hpp"

namespace segue {

bool restart_budget::allow(clock::time_point now) {
  while (!recent_.empty() && now - recent_.front() >= window_)
    recent_.pop_front();
  if (recent_.size() >= most_)
    return false;
  recent_.push_back(now);
  ++total_;
  return true;
}

} // namespace segue
