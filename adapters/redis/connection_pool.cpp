#include "adapters/redis/connection_pool.hpp"

#include "adapters/ports.hpp"

#include <algorithm>

namespace segue::redis {

connection_pool::connection_pool(server where, size_t size) : where_(std::move(where)), size_(std::max<size_t>(size, 1)) {
  idle_.reserve(size_);
  for (size_t i = 0; i < size_; ++i)
    idle_.push_back(std::make_unique<connection>(where_));
}

std::unique_ptr<connection> connection_pool::take() {
  std::unique_lock lock{mutex_};
  if (!returned_.wait_for(lock, where_.timeout, [this] { return !idle_.empty(); }))
    throw adapter_error{ec::timeout, where_.name() + ": all " + std::to_string(size_) + " connections are taken"};
  auto one = std::move(idle_.back()); // the one used last: it is the likeliest to be connected
  idle_.pop_back();
  return one;
}

void connection_pool::give_back(std::unique_ptr<connection> one) {
  {
    std::lock_guard lock{mutex_};
    idle_.push_back(std::move(one));
  }
  returned_.notify_one();
}

} // namespace segue::redis
