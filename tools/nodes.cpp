#include "tools/nodes.hpp"

#include "actors/cluster/edge.hpp"
#include "actors/cluster/nodes.hpp"
#include "actors/interface_digest.hpp"
#include "actors/log.hpp"
#include "adapters/cluster/basp.hpp"
#include "adapters/cluster/dialer.hpp"
#include "adapters/cluster/door.hpp"
#include "tools/engines.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace segue {

namespace {

constexpr auto join_wait = std::chrono::seconds{2};
constexpr size_t link_bytes = 32 << 20; ///< of appends on their way to the joined node, all streams together
constexpr size_t replay_bytes = 2 << 20; ///< of what is read behind the ends of streams, likewise

std::chrono::milliseconds hello_patience(const settings& with) { return std::min<std::chrono::milliseconds>(with.link_timeout, std::chrono::seconds{5}); }

/// What anybody may cause as often as they like is told once a second, and a few times more in between.
class seldom {
public:
  /// How many times it was not told since the last time; nothing: it is too soon again. Called by any thread.
  std::optional<uint64_t> say() {
    std::lock_guard lock{mutex_};
    auto now = std::chrono::steady_clock::now();
    if (paid_until_ > now + at_once) {
      ++untold_;
      return std::nullopt;
    }
    paid_until_ = std::max(paid_until_, now) + std::chrono::seconds{1};
    return std::exchange(untold_, 0);
  }

private:
  static constexpr auto at_once = std::chrono::seconds{10};

  std::mutex mutex_;
  std::chrono::steady_clock::time_point paid_until_; ///< each time it is told costs a second
  uint64_t untold_ = 0;
};

} // namespace

// -- a node that others join ---------------------------------------------------------------------------------------------------

open_house::open_house(const settings& with, caf::actor_system& system, registry_actor registry, metrics& counters) {
  auto name = name_of_process();
  cluster::door_options options{with.cluster_host, with.cluster_port, {"owner", name, interface_digest()}, with.cluster_secret};
  options.patience = hello_patience(with);
  try {
    door_ = std::make_shared<cluster::door>(std::move(options));
  } catch (const cluster::wire_error& e) {
    throw cannot_start{"cannot listen on " + with.cluster_host + ":" + std::to_string(with.cluster_port) + ": " + e.what()
        + "; give another address with --cluster-listen"};
  }
  auto address = with.cluster_host + ":" + std::to_string(door_->port());
  nodes_options limits{name, address, with.auth, with.link_timeout};
  limits.cut = [door = door_](uint64_t visit) { door->cut(visit); };
  limits.forget = [door = door_](uint64_t visit) { door->forget(visit); };
  limits.quiet = [door = door_](uint64_t visit) { return door->quiet(visit); };
  auto nodes = system.spawn(segue::nodes, std::move(registry), std::move(limits), &counters);
  nodes_ = nodes;
  door_->open({
      [nodes](const cluster::guest& x) { caf::anon_send(nodes, node_entered{x.who.id, x.who.name, x.address, x.visit}); },
      [nodes, &system, port = door_->port()](cluster::encrypted x) { cluster::enter_basp(system, std::move(x), port, nodes); },
      [&counters, lately = std::make_shared<seldom>()](const std::string& address, const std::string& why) {
        counters.joins_refused.Increment();
        if (auto others = lately->say())
          log::warning("nodes", "refused", address + ": " + why + (*others > 0 ? " (and " + std::to_string(*others) + " others)" : ""));
      },
  });
  log::info("nodes", "open", "others may join at " + address);
}

open_house::~open_house() {
  door_->stop();
  caf::anon_send_exit(nodes_, caf::exit_reason::user_shutdown);
}

// -- a node that joins -------------------------------------------------------------------------------------------------------

edge_node::edge_node(const settings& with, caf::actor_system& system, metrics& counters) : system_(system) {
  cluster::dialer_options dialling{with.join_host, with.join_port, interface_digest(), with.cluster_secret, hello_patience(with)};
  dialer_ = system.spawn<caf::detached>(cluster::dialer, std::move(dialling)); // it blocks
  relay_ground ground;
  ground.limits.append_bytes = with.pending_bytes;
  ground.limits.ring_bytes = with.ring_bytes;
  ground.idle = with.idle;
  ground.link = std::make_shared<credits>(link_bytes);
  ground.replays = std::make_shared<credits>(replay_bytes);
  ground.counters = &counters;
  link_options link{with.join_host + ":" + std::to_string(with.join_port), name_of_process(), with.auth, with.link_timeout};
  auto here = system.spawn(edge, dialer_, std::move(link), std::move(ground));
  registry_ = here;
  nodes_ = here;
}

void edge_node::await_link() {
  caf::scoped_actor self{system_};
  auto until = std::chrono::steady_clock::now() + join_wait;
  auto joined = false;
  while (!joined && std::chrono::steady_clock::now() < until) {
    node_row there;
    self->request(nodes_, std::chrono::seconds{10}, list_nodes{})
        .receive([&](const nodes_listed& x) { there = x.peers.front(); }, [](const caf::error&) {});
    if (there.state == node_state::refused)
      throw cannot_start{"cannot join " + there.address + ": " + there.detail};
    joined = there.state == node_state::joined;
    if (!joined)
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  if (!joined)
    log::warning("server", "not_ready", "the node to join is not reached yet, see /readyz");
}

void edge_node::stop() {
  if (!registry_)
    return;
  caf::anon_send_exit(registry_, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(dialer_, caf::exit_reason::user_shutdown);
  registry_ = nullptr;
  nodes_ = nullptr;
  dialer_ = nullptr;
}

} // namespace segue
