// Newest records in Redis, for every process that reads. Nothing here is ever needed: when the server is away it knows nothing.
#pragma once

#include "adapters/ports.hpp"
#include "adapters/redis/connection_pool.hpp"
#include "adapters/redis/keys.hpp"

#include <atomic>

namespace segue::redis {

struct cache_options {
  std::string url; ///< redis://USER:PASSWORD@HOST:PORT/DB?prefix=segue:
  size_t connections = 3;
  std::chrono::milliseconds timeout{100};
};

/// Used by any thread; only `probe` throws because of the server.
class redis_chunk_cache final : public chunk_cache {
public:
  /// Throws `adapter_error` when the URL cannot be right; a server that does not answer may come later.
  explicit redis_chunk_cache(const cache_options& options);

  /// Throws `adapter_error{ec::invalid_argument}` when the URL cannot be right.
  static void check(const std::string& url) { place_of({url}); }

  /// What is there already stays; records of another life of the stream give way.
  void put(stream_id id, std::span<const chunk> records) override;
  std::vector<chunk> get(stream_id id, position after, uint64_t limit) override;
  void forget(stream_id id) override;
  void probe() override;

private:
  struct place {
    server where;
    key_names keys;
  };
  using clock = std::chrono::steady_clock;

  redis_chunk_cache(place in, size_t connections);
  static place place_of(const cache_options& options);
  template <class Use>
  void attempt(Use use);
  void came_back();
  void went_away(const char* why);

  place place_;
  connection_pool connections_;
  std::atomic<clock::rep> not_before_{0}; ///< when it is tried again
  std::atomic<bool> away_{false};
};

} // namespace segue::redis
