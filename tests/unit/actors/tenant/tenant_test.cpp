#define CAF_SUITE actors.tenant.tenant

#include "actors/tenant/opener.hpp"
#include "actors/tenant/tenant.hpp"

#include "tests/support/scripted_generator.hpp"

#include "tests/support/actor_fixture.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

struct engines {
  chunk_store_engine chunks{"memory:"};
  catalogue_engine rows{"sqlite::memory:"};
  object_store_engine objects{"file:"};
};

/// A whole tenant with scripted generators over engines in memory.
struct world : engines, actor_fixture {
  /// Stores that are away `failures` times when they are opened; none: they are open.
  explicit world(std::optional<int> failures = {}) : actor_fixture(chunks.get()) {
    kill_all(); // the tenant brings its own
    tenant_parts parts;
    parts.name = "test";
    parts.make_object_store = [this](caf::actor_system& system) {
      return spawn_object_store_host(system, objects.get(), on_scheduler, counters);
    };
    parts.make_chunk_store = [this](caf::actor_system& system, object_store_actor at) {
      return chunk_host = spawn_chunk_store_host(system, {store, nullptr, &counters}, at, on_scheduler);
    };
    parts.make_catalogue = [this](caf::actor_system& system) {
      return row_host = spawn_catalogue_host(system, rows.get(), on_scheduler, counters);
    };
    if (failures)
      parts.make_opener = [this, left = std::make_shared<int>(*failures)](caf::actor_system& system) {
        return opener_host = system.spawn(segue::opener, opener_options{"test", [left] {
          if ((*left)-- > 0)
            throw adapter_error{ec::unavailable, "connection refused"};
        }}, &counters);
      };
    parts.make_generator = scripted_factory(script);
    parts.counters = &counters;
    tenant = sys.spawn(segue::tenant, std::move(parts));
    consume_messages();
  }

  ~world() override {
    caf::anon_send_exit(tenant, caf::exit_reason::user_shutdown);
    consume_messages();
  }

  tenant_services services() { return ask(tenant, resolve_tenant{}).reply(); }

  /// Notes, appends and reads, and makes a piece: whatever the tenant is there for.
  void check_service() {
    pass(1s);
    CAF_CHECK(ask(tenant, check_readiness{}).reply().ready);
    auto now = services();
    auto path = "notes/" + std::to_string(++rounds);
    auto stream = ask(now.directory, open_stream{path, "text/plain"}).reply().stream;
    CAF_CHECK_EQUAL(append(stream, "abc").reply().next, 3u);
    CAF_CHECK_EQUAL(bytes_of(read(stream, 0).reply(), 0), "abc");
    auto accepted = ask(now.manager, start_generation{"user", "a waltz", 1.2, rounds, false}).reply().row;
    pass_until([&] { return state_of(accepted.request_id) == generation_state::completed; });
  }

  generation_state state_of(const std::string& id) {
    return ask(services().manager, find_generation{id, {}}).reply().row.state;
  }

  std::shared_ptr<sound_script> script = std::make_shared<sound_script>();
  chunk_store_actor chunk_host;
  catalogue_actor row_host;
  opener_actor opener_host;
  tenant_actor tenant;
  uint64_t rounds = 0;
};

const actor_description* child(const actor_description& of, const std::string& name) {
  for (const auto& x : of.children)
    if (x.name == name)
      return &x;
  CAF_ERROR("no child " << name << " of " << of.name);
  return nullptr;
}

} // namespace

CAF_TEST(a tenant hands out its directory and its manager) {
  world x;
  auto services = x.services();
  CAF_CHECK(services.directory && services.manager);
  x.check_service();
}

CAF_TEST(ready is who can read both stores and has read the unfinished rows) {
  world x;
  auto ready = x.ask(x.tenant, check_readiness{}).reply();
  CAF_CHECK(ready.ready);
  CAF_CHECK_EQUAL(ready.checks, (std::vector<std::string>{"chunk store: ok", "catalogue: ok", "generations: ok", "objects: ok"}));
  x.store->fail_reads(true);
  ready = x.ask(x.tenant, check_readiness{}).reply();
  CAF_CHECK(!ready.ready);
  CAF_CHECK_EQUAL(ready.checks, (std::vector<std::string>{"chunk store: internal", "catalogue: ok", "generations: ok", "objects: ok"}));
  x.store->fail_reads(false);
  CAF_CHECK(x.ask(x.tenant, check_readiness{}).reply().ready);
}

CAF_TEST(a tenant whose stores are away at the start serves once they are reached) {
  world x{2};
  CAF_CHECK(!x.row_host && !x.chunk_host);
  CAF_CHECK_EQUAL(x.ask(x.tenant, resolve_tenant{}).code(), ec::unavailable);
  auto ready = x.ask(x.tenant, check_readiness{}).reply();
  CAF_CHECK(!ready.ready);
  CAF_CHECK_EQUAL(ready.checks, std::vector<std::string>{"stores: unavailable since the server began"});
  auto shown = x.ask(x.tenant, describe_actor{}).reply();
  CAF_CHECK_EQUAL(shown.state, "waiting for its stores");
  CAF_CHECK(shown.children.empty());
  CAF_CHECK_EQUAL(x.counters.tenants_away.Value(), 1);
  x.pass(1s);
  x.kill(x.opener_host); // another one goes on
  x.pass(1s);
  CAF_CHECK_EQUAL(x.ask(x.tenant, resolve_tenant{}).code(), ec::unavailable);
  x.pass(1s);
  CAF_CHECK_EQUAL(x.counters.tenants_away.Value(), 0);
  x.check_service();
}

CAF_TEST(a tenant that ends while it waits for its stores leaves nothing) {
  world x{1000};
  caf::anon_send_exit(x.tenant, caf::exit_reason::user_shutdown);
  x.consume_messages();
  CAF_CHECK_EQUAL(x.counters.tenants_away.Value(), 0);
}

CAF_TEST(whichever part dies is started again and service comes back) {
  world x;
  x.check_service();
  auto before = x.services();
  x.kill(x.chunk_host);
  x.check_service();
  CAF_CHECK(x.services().directory != before.directory); // it depends on the store
  before = x.services();
  x.kill(x.row_host);
  x.check_service();
  before = x.services();
  x.kill(before.directory);
  x.check_service();
  CAF_CHECK(x.services().manager != before.manager);
  before = x.services();
  x.kill(before.manager);
  x.check_service();
  CAF_CHECK(x.services().directory == before.directory); // that does not depend on it
  CAF_CHECK_EQUAL(x.counters.restarts.Value(), 4);
}

CAF_TEST(a piece under way survives the death of every part) {
  world x;
  auto row = x.ask(x.services().manager, start_generation{"user", "a waltz", 30, 5, true}).reply().row;
  x.pass(1s);
  x.kill(x.chunk_host);
  x.pass(1s);
  x.kill(x.services().directory);
  x.pass(1s);
  x.kill(x.services().manager);
  x.pass(1s);
  x.kill(x.row_host);
  x.pass(1s);
  CAF_CHECK_EQUAL(x.state_of(row.request_id), generation_state::running);
  x.pass_until([&] { return x.state_of(row.request_id) == generation_state::completed; });
  x.directory = x.services().directory;
  CAF_CHECK(x.content(audio_path(row.request_id)) == x.script->piece(5, 30));
}

CAF_TEST(readers and producers of a part that dies are answered) {
  world x;
  auto stream = x.ask(x.services().directory, open_stream{"a", "text/plain"}).reply().stream;
  auto reader = x.read(stream, 0, 100, 30'000);
  CAF_CHECK(!reader.here());
  x.kill(x.chunk_host);
  CAF_CHECK_EQUAL(reader.code(), ec::unavailable);
  CAF_CHECK_EQUAL(x.append(stream, "late").code(), ec::unavailable);
  CAF_CHECK_EQUAL(x.counters.streams_live.Value(), 0);
}

CAF_TEST(parts that die too often are given up and that is said) {
  world x;
  for (int deaths = 0; deaths < 5; ++deaths)
    x.kill(x.chunk_host);
  x.check_service();
  x.kill(x.chunk_host);
  auto ready = x.ask(x.tenant, check_readiness{}).reply();
  CAF_CHECK(!ready.ready);
  CAF_CHECK_EQUAL(ready.checks.size(), 1u);
  CAF_CHECK_EQUAL(x.ask(x.tenant, resolve_tenant{}).code(), ec::unavailable);
  auto shown = x.ask(x.tenant, describe_actor{});
  x.pass(2s);
  CAF_CHECK_EQUAL(shown.reply().state, "given up");
  CAF_CHECK_EQUAL(shown.reply().children.size(), 7u);
}

CAF_TEST(the actor tree shows every part with its restarts) {
  world x;
  auto services = x.services();
  x.ask(services.directory, open_stream{"a", "text/plain"});
  auto row = x.ask(services.manager, start_generation{"user", "a waltz", 60, 5, true}).reply().row;
  auto tree = x.ask(x.tenant, describe_actor{}).reply();
  CAF_CHECK_EQUAL(tree.name, "tenant test");
  CAF_CHECK_EQUAL(tree.state, "ready");
  CAF_CHECK_EQUAL(tree.children.size(), 7u);
  if (auto* host = child(tree, "chunk store host"))
    CAF_CHECK(child(*host, "writer") && child(*host, "reader"));
  if (auto* directory = child(tree, "directory"))
    CAF_CHECK(child(*directory, "a") && child(*directory, audio_path(row.request_id)));
  if (auto* manager = child(tree, "manager"); manager && child(*manager, row.request_id))
    CAF_CHECK(child(*manager, row.request_id)->state.starts_with("running"));
  child(tree, "catalogue host");
  x.kill(x.row_host);
  tree = x.ask(x.tenant, describe_actor{}).reply();
  CAF_CHECK_EQUAL(child(tree, "catalogue host")->restarts, 1u);
  CAF_CHECK_EQUAL(child(tree, "chunk store host")->restarts, 0u);
}

CAF_TEST(a tenant that ends takes everything with it) {
  world x;
  auto services = x.services();
  auto stream = x.ask(services.directory, open_stream{"a", "text/plain"}).reply().stream;
  x.ask(services.manager, start_generation{"user", "a waltz", 60, 5, true});
  auto reader = x.read(stream, 0, 100, 30'000);
  caf::anon_send_exit(x.tenant, caf::exit_reason::user_shutdown);
  x.consume_messages();
  CAF_CHECK_EQUAL(reader.code(), ec::unavailable);
  CAF_CHECK_EQUAL(x.ask(services.directory, find_stream{"a"}).code(), ec::unavailable);
  CAF_CHECK_EQUAL(x.ask(services.manager, list_generations{{}, 1, {}}).code(), ec::unavailable);
  CAF_CHECK_EQUAL(x.ask(x.chunk_host, load_stream{"a"}).code(), ec::unavailable);
  CAF_CHECK_EQUAL(x.ask(x.tenant, resolve_tenant{}).code(), ec::unavailable);
  CAF_CHECK_EQUAL(x.counters.streams_live.Value(), 0);
}
