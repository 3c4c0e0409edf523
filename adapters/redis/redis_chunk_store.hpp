// Streams in Redis: the log when several machines share it. README.md has the layout and what is kept when.
#pragma once

#include "adapters/ports.hpp"
#include "adapters/redis/connection_pool.hpp"
#include "adapters/redis/known_rows.hpp"
#include "adapters/redis/lease.hpp"
#include "adapters/redis/settings.hpp"

namespace segue::redis {

struct store_options {
  std::string url; ///< redis://USER:PASSWORD@HOST:PORT/DB?prefix=segue:&durability=always
  std::chrono::milliseconds timeout{5'000};
  size_t connections = 3; ///< one for the writer, the others for readers; the lease has one besides
  bool owner = true;      ///< else it commits only what does no harm from elsewhere
};

class redis_chunk_store final : public chunk_store {
public:
  /// Connects, and looks at the server's settings. Throws `adapter_error`.
  explicit redis_chunk_store(const store_options& options);

  /// Throws `adapter_error{ec::invalid_argument}` when the URL cannot be right.
  static void check(const std::string& url) { place_of({url}); }

  std::optional<std::string> take_lease(const std::string& holder, std::chrono::milliseconds how_long) override;
  void release_lease(const std::string& holder) override;

  /// `ec::fenced` unless the lease was taken, or after somebody else has taken it.
  std::vector<write_outcome> commit(std::span<const stream_write> writes) override;

  std::optional<stream_row> load_row(const std::string& path) override;
  std::optional<stream_row> load_row(stream_id id) override;
  std::vector<chunk> load_chunks(stream_id id, position after, uint64_t limit) override;
  std::vector<stream_row> load_expiring(stream_id above, size_t limit) override;

  /// Connects anew and raises the epoch, so that what is still on its way can do nothing. Throws `ec::fenced` when the store
  /// is somebody else's.
  void reopen() override;

private:
  struct place {
    server where;
    key_names keys;
    durability wanted;
  };

  redis_chunk_store(place in, const store_options& options);
  static place place_of(const store_options& options);
  void refuse_what_is_the_owners(std::span<const stream_write> writes) const;
  std::vector<write_outcome> commit_together(std::span<const stream_write> writes, bool room);

  place place_;
  bool owner_;
  connection writer_; ///< never connected anew but by `reopen`
  known_rows known_;
  lease lease_;
  connection_pool readers_;
};

} // namespace segue::redis
