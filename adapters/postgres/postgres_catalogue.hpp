// The catalogue in a PostgreSQL database, for any number of processes.
#pragma once

#include "adapters/ports.hpp"
#include "adapters/postgres/ownership.hpp"

namespace segue::postgres {

class postgres_catalogue final : public catalogue_store {
public:
  /// Connects and brings the schema up to date, or only looks whether it is. Throws `adapter_error`, with `ec::invalid_argument` when
  /// only a person can help. For the URL see `read_server`.
  postgres_catalogue(const std::string& url, limits bounds, bool migrates = true);

  std::optional<std::string> take_lease(const std::string& holder, std::chrono::milliseconds how_long) override;
  void release_lease(const std::string& holder) override;

  uint64_t insert(const generation_row& row) override;
  bool store(const generation_row& row) override;
  void erase(const std::string& request_id) override;
  std::optional<generation_row> find(const std::string& request_id) override;
  std::vector<generation_row> newest(const std::string& user_id, uint64_t before, uint32_t limit) override;
  std::vector<generation_row> unfinished(uint64_t after, uint32_t limit) override;

  std::optional<int64_t> clock_ms() override; ///< the server's
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
  const server server_;
  watchdog watchdog_;
  pool connections_;
  pool reserved_; ///< one, for the lease
  ownership ownership_;
};

} // namespace segue::postgres
