// Actors for tests of who asks them: they answer what is asked, and nothing happens.
#pragma once

#include "tests/support/test_config.hpp"

#include <caf/all.hpp>

#include <functional>

namespace segue {

/// A stream that ends wherever it is read.
inline stream_actor stub_stream(caf::actor_system& system) {
  return system.spawn([]() -> stream_actor::behavior_type {
    return {
        [](const append_chunk&) { return chunk_appended{}; },
        [](const read_chunks& x) { return chunk_batch{{}, x.after, x.after, false}; },
        [](const inspect_stream&) { return stream_loaded{}; },
        [](const describe_actor&) { return actor_description{}; },
    };
  });
}

/// A directory that finds what `find` returns.
inline directory_actor stub_directory(caf::actor_system& system, std::function<stream_opened(const find_stream&)> find) {
  return system.spawn<caf::lazy_init>([find]() -> directory_actor::behavior_type {
    return {
        [](const open_stream&) { return stream_opened{}; },
        [find](const find_stream& x) { return find(x); },
        [](const remove_stream&) { return stream_removed{}; },
        [](const may_retire&) { return retirement_decided{}; },
        [](const stream_expired&) {},
        [](const archive_played&) {},
        [](const describe_actor&) { return actor_description{}; },
    };
  });
}

} // namespace segue
