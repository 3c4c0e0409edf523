// Streams in plain maps: the reference model of the contract, and `memory:` for trying things out.
#pragma once

#include "adapters/ports.hpp"

#include <map>
#include <shared_mutex>

namespace segue::memory {

/// Nothing survives the process.
class memory_chunk_store final : public chunk_store {
public:
  std::vector<write_outcome> commit(std::span<const stream_write> writes) override;
  std::optional<stream_row> load_row(const std::string& path) override;
  std::vector<chunk> load_chunks(stream_id id, position after, uint64_t limit) override;
  void reopen() override {}

private:
  struct stored_stream {
    stream_row row;
    std::map<position, chunk> chunks;
    std::map<std::string, producer_tag> producers;
  };

  write_outcome apply_write(const create_stream& x);
  write_outcome apply_write(const claim_stream& x);
  write_outcome apply_write(const put_chunks& x);
  write_outcome apply_write(const delete_stream& x);

  std::shared_mutex mutex_;
  stream_id last_id_ = 0;
  std::map<std::string, stream_id> names_;
  std::map<stream_id, stored_stream> streams_;
};

} // namespace segue::memory
