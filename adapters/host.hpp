// Hosts: actors around plain blocking engines. A host is thread policy, exception barrier and metrics probe, the same
// for every engine behind a port.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/log.hpp"
#include "actors/metrics.hpp"
#include "adapters/chunk_reading.hpp"
#include "adapters/ports.hpp"

#include <functional>
#include <memory>

namespace segue {

struct host_options {
  bool own_threads = true; ///< false: on the scheduler, for tests with a virtual clock
  size_t readers = 2;      ///< reader threads of a store
};

/// Around a log engine: one writer that turns everything in its queue into one commit, and readers, who ask `objects` (null:
/// there are none) for what was archived.
chunk_store_actor spawn_chunk_store_host(
    caf::actor_system& system, chunk_tiers tiers, object_store_actor objects, host_options options);

/// Around an object store.
object_store_actor spawn_object_store_host(
    caf::actor_system& system, std::shared_ptr<object_store> engine, host_options options, metrics& m);

/// Around a catalogue engine.
catalogue_actor spawn_catalogue_host(
    caf::actor_system& system, std::shared_ptr<catalogue_store> engine, host_options options, metrics& m);

/// What a generator host needs to begin: the generator is made on the host's own thread, for it may take a while.
struct sound_source {
  std::string name;    ///< e.g. "synth"
  std::string version; ///< changes when the same request may sound different
  std::function<std::unique_ptr<generator>(const sound_request&)> make_generator;
  std::function<std::unique_ptr<encoder>()> make_encoder;
  /// How it is, in a few words for people. Throws `ec::unavailable` when no piece can be made now, anything else when
  /// none can be made ever.
  std::function<std::string()> probe;
};

/// Around the generator of one piece and its encoder: samples in, whole canonical frames out. Stops with its last handle.
generator_actor spawn_generator_host(caf::actor_system& system, sound_source source, host_options options);

/// The exception barrier: what `f` returns, or the error it threw. `doing` is a few words for the log, `away` how loud
/// it is that somebody outside is not there.
template <class F>
auto guarded(const char* doing, F&& f, log::level away = log::level::error) -> caf::expected<decltype(f())> {
  try {
    return f();
  } catch (const adapter_error& e) {
    auto loud = e.code() == ec::unavailable || e.code() == ec::timeout ? away : log::level::error;
    if (e.code() != ec::conflict && e.code() != ec::not_found && e.code() != ec::storage_full)
      log::write(loud, "host", "engine_failed", std::string{doing} + ": " + e.what());
    return caf::make_error(e.code(), std::string{e.what()});
  } catch (const std::exception& e) {
    log::error("host", "engine_failed", std::string{doing} + ": " + e.what());
    return caf::make_error(ec::internal, std::string{e.what()});
  }
}

} // namespace segue
