// The catalogue in one SQLite file, for any number of threads; other processes may use the file at the same time.
#pragma once

#include "adapters/catalogue_rows.hpp"
#include "adapters/lender.hpp"
#include "adapters/sqlite/database.hpp"

#include <filesystem>

namespace segue::sqlite {

/// What stands behind `sqlite:`: an absolute file, `:memory:`, or DATA/catalogue.sqlite if there is nothing. Throws
/// `adapter_error{ec::invalid_argument}` for anything else.
std::string file_of(const std::string& rest, const std::filesystem::path& data);

class sqlite_catalogue final : public catalogue_store {
public:
  /// Opens or creates the file and brings its schema up to date; unless it `migrates`, it insists on finding it so. `:memory:` keeps
  /// everything in memory. `readers`: how many may read at the same time, while another one writes.
  explicit sqlite_catalogue(const std::string& file, size_t readers = 1, bool migrates = true);

  uint64_t insert(const generation_row& row) override;
  bool store(const generation_row& row) override;
  void erase(const std::string& request_id) override;
  std::optional<generation_row> find(const std::string& request_id) override;
  std::vector<generation_row> newest(const std::string& user_id, uint64_t before, uint32_t limit) override;
  std::vector<generation_row> unfinished(uint64_t after, uint32_t limit) override;

  transfer_row insert(const transfer_row& row) override;
  std::vector<transfer_row> lease(const std::string& holder, int64_t now_ms, int64_t until_ms, uint32_t limit) override;
  bool store(const transfer_row& row) override;
  std::optional<transfer_row> retry(uint64_t id, int64_t now_ms) override;
  std::optional<transfer_row> drop(uint64_t id) override;
  void prune(int64_t before_ms) override;
  std::optional<transfer_row> find_transfer(uint64_t id) override;
  std::vector<transfer_row> transfers(uint64_t after, uint32_t limit, bool dead_only) override;
  std::vector<transfer_row> changed_transfers(int64_t since_ms, uint32_t limit) override;

  void insert(const api_key& key) override;
  std::optional<api_key> find_key(const std::string& hash) override;
  std::vector<api_key> keys() override;
  bool erase_key(const std::string& id) override;

private:
  using databases = lender<database>;

  /// One connection writes. Where there is no file, it reads as well. Throws `ec::busy` when none comes free in time.
  databases::loan writer() { return writer_.take(patience, in_use); }
  databases::loan reader() { return (has_readers_ ? readers_ : writer_).take(patience, in_use); }
  static adapter_error in_use();

  databases writer_;
  databases readers_;
  bool has_readers_ = false;
};

/// `?, ?, …`: one for each column of a row.
template <class Row>
std::string placeholders() {
  std::string text;
  for (size_t i = 0; i < column_count<Row>; ++i)
    text += text.empty() ? "?" : ", ?";
  return text;
}

/// Of a statement that selects the number of a row, if it has one, and its columns.
template <class Row>
std::vector<Row> rows_of(statement& s) {
  std::vector<Row> rows;
  while (s.step())
    rows.push_back(read_row<Row>(s));
  return rows;
}

} // namespace segue::sqlite
