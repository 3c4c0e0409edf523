// What the reader threads of a chunk store answer.
#pragma once

#include "adapters/ports.hpp"

#include <caf/result.hpp>

namespace segue {

caf::result<stream_loaded> load(chunk_store& engine, const load_stream& x);
caf::result<streams_listed> load(chunk_store& engine, const list_expiring& x);

/// From the stream itself and those it was forked from, as one.
caf::result<chunk_batch> load(chunk_store& engine, const load_chunks& x);

} // namespace segue
