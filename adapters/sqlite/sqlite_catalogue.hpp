// The catalogue in one SQLite file.
#pragma once

#include "adapters/ports.hpp"
#include "adapters/sqlite/database.hpp"

namespace segue::sqlite {

class sqlite_catalogue final : public catalogue_store {
public:
  /// Opens or creates the file and brings its schema up to date. `:memory:` keeps everything in memory.
  explicit sqlite_catalogue(const std::string& file);

  uint64_t insert(const generation_row& row) override;
  bool store(const generation_row& row) override;
  void erase(const std::string& request_id) override;
  std::optional<generation_row> find(const std::string& request_id) override;
  std::vector<generation_row> newest(const std::string& user_id, uint64_t before, uint32_t limit) override;
  std::vector<generation_row> unfinished(uint64_t after, uint32_t limit) override;

private:
  void migrate();

  database db_;
};

} // namespace segue::sqlite
