#include "tools/compose.hpp"

#include "actors/log.hpp"
#include "actors/tenant/registry.hpp"
#include "http/routes.hpp"
#include "http/server.hpp"
#include "http/tls.hpp"
#include "tools/data_folder.hpp"
#include "tools/nodes.hpp"
#include "tools/tenants.hpp"

#include <caf/actor_system.hpp>
#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <thread>

#include <unistd.h>

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

void configure(caf::actor_system_config& config, const settings& with) {
  register_messages(config);
  config.set("scheduler.policy", caf::atom("sharing")); // work stealing polls, and idles at a third of a processor
  config.set("scheduler.max-threads", threads_or_half(with.scheduler_threads));
  if (!with.cluster_host.empty() || !with.join_host.empty())
    config.load<caf::io::middleman>(); // a thread, and sockets: not for a server that is alone
}

http::edge edge_of(const settings& with, caf::actor_system& system, registry_actor registry, metrics& counters) {
  http::edge edge{system, std::move(registry), counters};
  if (!with.tls_certificate.empty())
    edge.tls = std::make_shared<http::tls_door>(http::tls_files{with.tls_certificate, with.tls_key});
  edge.auth = with.auth;
  edge.metrics_token = with.metrics_token;
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
void await_readiness(caf::actor_system& system, const registry_actor& registry) {
  caf::scoped_actor self{system};
  auto ready = false;
  for (int tries = 0; tries < 500 && !ready; ++tries) {
    if (tries > 0)
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    self->request(registry, std::chrono::seconds{10}, check_readiness{})
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

std::string address_of(const settings& with, const http::server& server) {
  auto scheme = with.tls_certificate.empty() ? "http://" : "https://";
  return scheme + with.listen_host + ":" + std::to_string(server.port()) + "/";
}

bool run_owner(const settings& with, const std::function<void(const std::string&)>& ready, const std::function<void()>& wait) {
  data_folder folder{with.data};
  std::atomic<bool> lost = false;
  auto grounds = open_tenants(with, folder.path(), true, lease_terms{with.lease, [&lost] {
    lost = true;
    kill(getpid(), SIGTERM); // as an operator would
  }});
  metrics counters;
  caf::actor_system_config config;
  configure(config, with);
  std::unique_ptr<watchdog> bound;
  caf::actor_system system{config};
  std::map<std::string, registered_tenant> tenants;
  for (auto& x : grounds)
    tenants[x.engines().name] = {system.spawn(segue::tenant, x.parts(counters)), x.engines().with->jwt_secret};
  auto registry = system.spawn(segue::registry, std::move(tenants), registry_options{with.auth});
  std::unique_ptr<open_house> house;
  auto server = [&] {
    try {
      if (!with.cluster_host.empty())
        house = std::make_unique<open_house>(with, system, registry, counters);
      auto edge = edge_of(with, system, registry, counters);
      edge.nodes = house ? house->nodes() : nodes_actor{};
      return listen(with, std::move(edge));
    } catch (...) {
      caf::anon_send_exit(registry, caf::exit_reason::user_shutdown);
      throw;
    }
  }();
  server->start();
  await_readiness(system, registry);
  auto address = address_of(with, *server);
  log::info("server", "ready", address + " on " + folder.path().string());
  ready(address);

  wait();

  log::info("server", "stopping", "connections first, then actors, then stores");
  bound = std::make_unique<watchdog>(with.shutdown_timeout);
  server->stop(with.shutdown_timeout / 2);
  server.reset();
  house.reset();
  caf::anon_send_exit(registry, caf::exit_reason::user_shutdown);
  registry = nullptr;
  system.await_all_actors_done();
  log::info("server", "stopped", "everything is closed");
  return !lost;
}

/// A server without stores, for the streams of the node it joins.
bool run_edge(const settings& with, const std::function<void(const std::string&)>& ready, const std::function<void()>& wait) {
  metrics counters;
  caf::actor_system_config config;
  configure(config, with);
  std::unique_ptr<watchdog> bound;
  caf::actor_system system{config};
  edge_node node{with, system, counters};
  auto edge = edge_of(with, system, node.registry(), counters);
  edge.nodes = node.nodes();
  edge.read_patience = with.join_patience;
  auto server = listen(with, std::move(edge));
  node.await_link();
  server->start();
  auto address = address_of(with, *server);
  log::info("server", "ready", address + " for " + with.join_host + ":" + std::to_string(with.join_port));
  ready(address);

  wait();

  log::info("server", "stopping", "connections first, then actors");
  bound = std::make_unique<watchdog>(with.shutdown_timeout);
  server->stop(with.shutdown_timeout / 2);
  server.reset();
  node.stop();
  system.await_all_actors_done();
  log::info("server", "stopped", "everything is closed");
  return true;
}

/// It serves what another node keeps and makes. Defaults may be written down all the same, as in a copy of `config/segue.json`.
void refuse_engines_of_edge(const settings& with) {
  const auto standard = load_settings("", {});
  auto refuse = [&](const engine_setting& x, const settings& own) {
    if (own.*x.url != standard.*x.url)
      throw bad_setting{std::string{"--join and --"} + x.name + " exclude each other: an edge node keeps and makes nothing, it serves what the "
          "node it joins does; name it there"};
  };
  for (const auto& [name, own] : with.tenants) {
    for (const auto& x : store_settings)
      refuse(x, *own);
    refuse(generator_setting, *own);
  }
}

} // namespace

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "[::1]" || host == "::1" || host.starts_with("127.");
}

void check_doors(const settings& with) {
  if (!is_loopback(with.listen_host) && !with.insecure && !with.auth)
    throw bad_setting{with.listen_host + " is not a loopback address. Whoever reaches this server may do anything with "
        "it: add --auth, or if that is meant, --insecure"};
  if (with.tenants.size() > 1 && !with.auth)
    throw bad_setting{"several tenants need --auth: without it nobody knows whose request it is"};
  if (with.tls_certificate.empty() != with.tls_key.empty())
    throw bad_setting{"--tls-certificate and --tls-key belong together: give both, or none"};
  if (!with.join_host.empty() && !with.cluster_host.empty())
    throw bad_setting{"--join and --cluster-listen exclude each other: an edge node has nothing that could be joined"};
  if ((!with.join_host.empty() || !with.cluster_host.empty()) && with.cluster_secret.empty())
    throw bad_setting{"nodes need a common secret: add --cluster-secret '${file:PATH}'; `openssl rand -hex 32` makes a good one"};
  if (!with.join_host.empty())
    refuse_engines_of_edge(with);
}

bool run_server(const settings& with, const std::function<void(const std::string&)>& ready, const std::function<void()>& wait) {
  check_doors(with);
  return with.join_host.empty() ? run_owner(with, ready, wait) : run_edge(with, ready, wait);
}

} // namespace segue
