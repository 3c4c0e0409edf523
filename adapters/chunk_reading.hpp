// What the reader threads of a chunk store answer: from the recent-chunk cache, from the log, or where else to ask.
#pragma once

#include "actors/metrics.hpp"
#include "adapters/ports.hpp"

#include <caf/expected.hpp>
#include <caf/result.hpp>

namespace segue {

/// The tiers that one process reads chunks from. Used by any number of threads.
struct chunk_tiers {
  std::shared_ptr<chunk_store> store;
  std::shared_ptr<chunk_cache> cache; ///< null: none
  metrics* counters = nullptr;
};

caf::result<stream_loaded> load(chunk_store& engine, const load_stream& x);
caf::result<streams_listed> load(chunk_store& engine, const list_expiring& x);

/// Records, or what to ask the object store for them.
using found_chunks = std::variant<chunk_batch, load_archived>;

/// From the stream itself and those it was forked from, as one.
caf::expected<found_chunks> load(const chunk_tiers& tiers, const load_chunks& x);

} // namespace segue
