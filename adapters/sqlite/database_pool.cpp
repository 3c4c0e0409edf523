#include "adapters/sqlite/database_pool.hpp"

#include "adapters/ports.hpp"

namespace segue::sqlite {

database_pool::borrowed database_pool::take() {
  std::unique_lock lock{mutex_};
  if (!freed_.wait_for(lock, patience, [this] { return !free_.empty(); }))
    throw adapter_error{
        ec::busy, "the catalogue is in use, and did not come free within " + std::to_string(patience.count()) + " ms"};
  auto db = std::move(free_.back());
  free_.pop_back();
  return {*this, std::move(db)};
}

void database_pool::give_back(std::unique_ptr<database> db) {
  {
    std::lock_guard lock{mutex_};
    free_.push_back(std::move(db));
  }
  freed_.notify_one();
}

} // namespace segue::sqlite
