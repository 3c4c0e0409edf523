#include "tools/compose.hpp"

#include "actors/tenant/tenant.hpp"
#include "adapters/registry.hpp"
#include "http/routes.hpp"
#include "http/server.hpp"
#include "tools/data_folder.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <condition_variable>
#include <thread>

namespace segue {

namespace {

size_t threads_or_half(uint64_t wished) {
  return wished > 0 ? wished : std::max<size_t>(std::thread::hardware_concurrency() / 2, 1);
}

/// Everything acknowledged is durable at any moment, so an ending that takes too long may be cut.
class watchdog {
public:
  explicit watchdog(std::chrono::milliseconds bound) : thread_([this, bound] {
    std::unique_lock lock{mutex_};
    if (ended_.wait_for(lock, bound, [this] { return done_; }))
      return;
    log::error("server", "shutdown_cut", "the parts did not end in time; nothing acknowledged is lost");
    std::quick_exit(0);
  }) {}

  ~watchdog() {
    {
      std::lock_guard lock{mutex_};
      done_ = true;
    }
    ended_.notify_one();
    thread_.join();
  }

private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool done_ = false;
  std::thread thread_;
};

/// The engines, opened before any actor runs, so that what is wrong with them is said at once.
struct engines {
  std::shared_ptr<chunk_store> chunks;
  std::shared_ptr<catalogue_store> catalogue;
  sound_source sound;
};

/// A generator that cannot begin shall be known now, not with the first wish; one that is away may come.
void probe(const sound_source& sound) {
  try {
    sound.probe();
  } catch (const adapter_error& e) {
    if (e.code() != ec::unavailable)
      throw;
    log::warning("server", "generator_away", std::string{e.what()} + "; it may come later");
  }
}

engines open_engines(const settings& with, const std::filesystem::path& data) {
  adapter_context context{data, with.reserve_bytes, with.soundfont, with.generator_silence};
  try {
    engines all{open_chunk_store(with.chunk_store, context), open_catalogue(with.catalogue, context),
        open_sound_source(with.generator, context)};
    probe(all.sound);
    return all;
  } catch (const std::exception& e) {
    throw cannot_start{e.what()};
  }
}

void configure(caf::actor_system_config& config, const settings& with) {
  register_messages(config);
  config.set("scheduler.policy", caf::atom("sharing")); // work stealing polls, and idles at a third of a processor
  config.set("scheduler.max-threads", threads_or_half(with.scheduler_threads));
}

tenant_parts parts_of(const settings& with, const engines& all, metrics& counters) {
  host_options hosts{true, with.store_readers};
  tenant_parts parts;
  parts.make_chunk_store = [&all, hosts, &counters](caf::actor_system& system) {
    return spawn_chunk_store_host(system, all.chunks, hosts, counters);
  };
  parts.make_catalogue = [&all, hosts](caf::actor_system& system) {
    return spawn_catalogue_host(system, all.catalogue, hosts);
  };
  parts.make_generator = [&all, hosts](caf::actor_system& system) {
    return spawn_generator_host(system, all.sound, hosts);
  };
  parts.streams.ring_bytes = with.ring_bytes;
  parts.streams.pending_bytes = with.pending_bytes;
  parts.streams.idle = with.idle;
  parts.streams.streams = with.streams;
  parts.streams.most_bytes = with.stream_bytes;
  parts.streams.producers = with.stream_producers;
  parts.generations.generator = all.sound.name;
  parts.generations.running = with.generations_running;
  parts.generations.queued = with.generations_queued;
  parts.generations.pushed = with.generations_pushed;
  parts.generations.each.heartbeat = with.heartbeat;
  parts.generations.each.attempts.fruitless = with.generator_attempts;
  parts.counters = &counters;
  return parts;
}

http::edge edge_of(const settings& with, caf::actor_system& system, tenant_actor tenant, metrics& counters) {
  http::edge edge{system, std::move(tenant), counters};
  edge.listen_host = with.listen_host;
  edge.port = with.listen_port;
  edge.allow_origins = with.allow_origins;
  edge.stream_name = with.stream_name;
  edge.any_host = !is_loopback(with.listen_host);
  edge.body_limit = with.body_limit;
  edge.header_limit = with.header_limit;
  edge.connections = with.connections;
  edge.patience = with.request_timeout;
  edge.outlets.stall = with.stall_timeout;
  edge.outlets.waiting = with.listeners_bytes;
  edge.listener_bytes = with.listener_bytes;
  edge.long_poll = with.long_poll_timeout;
  return edge;
}

/// Unfinished generations are read before new ones are accepted: whoever sees the address shall not be refused.
void await_readiness(caf::actor_system& system, const tenant_actor& tenant) {
  caf::scoped_actor self{system};
  auto ready = false;
  for (int tries = 0; tries < 500 && !ready; ++tries) {
    if (tries > 0)
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    self->request(tenant, std::chrono::seconds{10}, check_readiness{})
        .receive([&](const readiness_checked& x) { ready = x.ready; }, [](const caf::error&) {});
  }
  if (!ready)
    log::warning("server", "not_ready", "its stores do not answer yet, see /readyz");
}

std::unique_ptr<http::server> listen(const settings& with, http::edge edge) {
  try {
    return std::make_unique<http::server>(
        std::move(edge), http::router{http::routes()}, threads_or_half(with.io_threads));
  } catch (const boost::system::system_error& e) {
    throw cannot_start{"cannot listen on " + with.listen_host + ":" + std::to_string(with.listen_port) + ": "
        + e.code().message() + "; give another address with --listen"};
  }
}

} // namespace

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "[::1]" || host == "::1" || host.starts_with("127.");
}

void run_server(const settings& with, const std::function<void(const std::string&)>& ready,
    const std::function<void()>& wait) {
  if (!is_loopback(with.listen_host) && !with.insecure)
    throw cannot_start{with.listen_host + " is not a loopback address. Whoever reaches this server may do anything with "
        "it; if that is meant, add --insecure"};
  data_folder folder{with.data};
  auto all = open_engines(with, folder.path());
  metrics counters;
  caf::actor_system_config config;
  configure(config, with);
  std::unique_ptr<watchdog> bound;
  caf::actor_system system{config};
  auto tenant = system.spawn(segue::tenant, parts_of(with, all, counters));
  auto server = [&] {
    try {
      return listen(with, edge_of(with, system, tenant, counters));
    } catch (...) {
      caf::anon_send_exit(tenant, caf::exit_reason::user_shutdown);
      throw;
    }
  }();
  server->start();
  await_readiness(system, tenant);
  auto address = "http://" + with.listen_host + ":" + std::to_string(server->port()) + "/";
  log::info("server", "ready", address + " on " + folder.path().string());
  ready(address);

  wait();

  log::info("server", "stopping", "connections first, then actors, then stores");
  bound = std::make_unique<watchdog>(with.shutdown_timeout);
  server->stop(with.shutdown_timeout / 2);
  server.reset();
  caf::anon_send_exit(tenant, caf::exit_reason::user_shutdown);
  tenant = nullptr;
  system.await_all_actors_done();
  log::info("server", "stopped", "everything is closed");
}

} // namespace segue
