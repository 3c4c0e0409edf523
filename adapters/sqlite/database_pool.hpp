// Connections to one file, each used by one thread at a time.
#pragma once

#include "adapters/sqlite/database.hpp"

#include <condition_variable>
#include <mutex>
#include <vector>

namespace segue::sqlite {

class database_pool {
public:
  /// A connection while it is ours.
  class borrowed {
  public:
    borrowed(database_pool& from, std::unique_ptr<database> db) : from_(from), db_(std::move(db)) {}
    ~borrowed() { from_.give_back(std::move(db_)); }
    borrowed(const borrowed&) = delete;
    borrowed& operator=(const borrowed&) = delete;

    database& operator*() const { return *db_; }
    database* operator->() const { return db_.get(); }

  private:
    database_pool& from_;
    std::unique_ptr<database> db_;
  };

  void add(std::unique_ptr<database> db) { give_back(std::move(db)); }

  /// Waits for one to come free; throws `ec::busy` when that takes too long.
  borrowed take();

private:
  void give_back(std::unique_ptr<database> db);

  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<database>> free_;
};

} // namespace segue::sqlite
