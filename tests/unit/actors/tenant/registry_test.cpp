#define CAF_SUITE actors.tenant.registry

#include "actors/tenant/registry.hpp"

#include "actors/tenant/tenant.hpp"
#include "tests/support/faulty_catalogue.hpp"
#include "tests/support/scripted_generator.hpp"
#include "tests/support/tokens.hpp"

#include "tests/support/actor_fixture.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

struct tenant_engines {
  explicit tenant_engines(std::string name) : name(std::move(name)) {}

  /// A key of a user, as `segue keys add` makes it.
  std::string add_key(const std::string& user, role may) {
    auto key = new_api_key(name);
    rows->insert(describe_key(key, user, may, "a test"));
    return key;
  }

  std::string name;
  std::string secret = name + " has a secret of thirty-two bytes";
  chunk_store_engine chunks{"memory:"};
  catalogue_engine rows{"sqlite::memory:"};
  object_store_engine objects{"file:"};
  std::shared_ptr<faulty_catalogue> catalogue = std::make_shared<faulty_catalogue>(rows.get(), std::make_shared<failing_calls>());
};

struct engines {
  tenant_engines alpha{"alpha"};
  tenant_engines beta{"beta"};
};

/// A registry with whole tenants over engines in memory: two, or alpha alone.
struct world : engines, actor_fixture {
  explicit world(bool auth = true, bool both = true) : actor_fixture(alpha.chunks.get()) {
    kill_all(); // the tenants bring their own
    std::map<std::string, registered_tenant> tenants{{"alpha", {start_tenant(alpha), alpha.secret}}};
    if (both)
      tenants["beta"] = {start_tenant(beta), beta.secret};
    registry = sys.spawn(segue::registry, std::move(tenants), registry_options{.auth = auth});
    pass(100ms);
  }

  ~world() override {
    caf::anon_send_exit(registry, caf::exit_reason::user_shutdown);
    consume_messages();
  }

  tenant_actor start_tenant(tenant_engines& x) {
    tenant_parts parts;
    parts.name = x.name;
    parts.make_object_store = [this, &x](caf::actor_system& system) {
      return spawn_object_store_host(system, x.objects.get(), on_scheduler, counters);
    };
    parts.make_chunk_store = [this, &x](caf::actor_system& system, object_store_actor at) {
      return spawn_chunk_store_host(system, {x.chunks.get(), nullptr, &counters}, at, on_scheduler);
    };
    parts.make_catalogue = [this, &x](caf::actor_system& system) {
      return spawn_catalogue_host(system, x.catalogue, on_scheduler, counters);
    };
    parts.make_generator = scripted_factory(std::make_shared<sound_script>());
    parts.counters = &counters;
    return sys.spawn(segue::tenant, std::move(parts));
  }

  /// Whose door opens, e.g. `alpha ada writer`, or why none does.
  std::string opened(const std::string& credential) {
    auto asked = ask(registry, resolve_tenant{credential});
    if (asked.code() != ec::none)
      return to_string(asked.code());
    auto x = asked.reply();
    return x.tenant + " " + x.user_id + " " + to_string(x.may);
  }

  /// A token of ada's, with more claims.
  static std::string token(const std::string& more, const std::string& secret) {
    return signed_token(R"({"sub":"ada")" + more + "}", secret);
  }

  registry_actor registry;
};

} // namespace

CAF_TEST(without a credential no door opens) {
  for (bool both : {true, false}) {
    world x{true, both};
    CAF_CHECK_EQUAL(x.opened(""), "unauthenticated");
  }
}

CAF_TEST(a key opens the tenant it was made for) {
  world x;
  CAF_CHECK_EQUAL(x.opened(x.alpha.add_key("ada", role::reader)), "alpha ada reader");
  CAF_CHECK_EQUAL(x.opened(x.alpha.add_key("bob", role::writer)), "alpha bob writer");
  CAF_CHECK_EQUAL(x.opened(x.beta.add_key("ada", role::admin)), "beta ada admin");
}

CAF_TEST(where a tenant is now is told to whom its door has opened) {
  world x;
  auto before = x.ask(x.registry, resolve_tenant{x.alpha.add_key("ada", role::admin)}).reply();
  x.kill(before.directory);
  auto now = x.ask(x.registry, find_tenant{before.tenant}).reply();
  CAF_CHECK_EQUAL(now.tenant, "alpha");
  CAF_CHECK(now.directory && now.directory != before.directory);
  CAF_CHECK_EQUAL(x.ask(x.registry, find_tenant{"gamma"}).code(), ec::not_found);
}

CAF_TEST(tenants share nothing) {
  world x;
  auto alpha = x.ask(x.registry, resolve_tenant{x.alpha.add_key("ada", role::admin)}).reply();
  auto beta = x.ask(x.registry, resolve_tenant{x.beta.add_key("ada", role::admin)}).reply();
  x.ask(alpha.directory, open_stream{"a", "text/plain"}).reply();
  CAF_CHECK_EQUAL(x.ask(alpha.directory, find_stream{"a"}).code(), ec::none);
  CAF_CHECK_EQUAL(x.ask(beta.directory, find_stream{"a"}).code(), ec::not_found);
  auto made = x.ask(alpha.manager, start_generation{"ada", "a waltz", 1.2, 1, false}).reply().row;
  CAF_CHECK_EQUAL(x.ask(alpha.manager, find_generation{made.request_id, {}}).code(), ec::none);
  CAF_CHECK_EQUAL(x.ask(beta.manager, find_generation{made.request_id, {}}).code(), ec::not_found);
}

CAF_TEST(a key that nobody made opens nothing) {
  world x;
  auto key = x.alpha.add_key("ada", role::admin);
  for (const std::string& bad : {new_api_key("alpha"), new_api_key("gamma"), key + "0", key.substr(0, key.size() - 1),
           "Bearer " + key, std::string{"sk_alpha_"}, std::string{"sk__"}, std::string{"alpha"}, sha256_of(key)})
    CAF_CHECK_EQUAL(x.opened(bad), "unauthenticated");
  CAF_CHECK_EQUAL(x.opened(key), "alpha ada admin");
}

CAF_TEST(a key of one tenant never opens another one) {
  world x;
  auto key = x.alpha.add_key("ada", role::admin);
  auto secret = key.substr(key.rfind('_') + 1);
  CAF_CHECK_EQUAL(x.opened(key), "alpha ada admin"); // it is remembered now
  CAF_CHECK_EQUAL(x.opened("sk_beta_" + secret), "unauthenticated");
  x.beta.rows->insert(describe_key(key, "ada", role::admin, "put into the wrong catalogue"));
  CAF_CHECK_EQUAL(x.opened(key), "alpha ada admin");
}

CAF_TEST(a token opens the tenant whose secret has signed it) {
  world x;
  CAF_CHECK_EQUAL(x.opened(x.token(R"(,"tenant":"alpha")", x.alpha.secret)), "alpha ada reader");
  CAF_CHECK_EQUAL(x.opened(x.token(R"(,"tenant":"beta","role":"admin")", x.beta.secret)), "beta ada admin");
  CAF_CHECK_EQUAL(x.opened(x.token(R"(,"tenant":"alpha","exp":99999999999)", x.alpha.secret)), "alpha ada reader");
}

CAF_TEST(a token with the secret of another tenant opens neither) {
  world x;
  CAF_CHECK_EQUAL(x.opened(x.token(R"(,"tenant":"alpha")", x.beta.secret)), "unauthenticated");
  CAF_CHECK_EQUAL(x.opened(x.token(R"(,"tenant":"beta")", x.alpha.secret)), "unauthenticated");
}

CAF_TEST(a token that is not good opens nothing) {
  world x;
  for (const char* claims : {R"(,"tenant":"alpha","exp":1)", R"(,"tenant":"alpha","nbf":99999999999)", R"(,"tenant":"gamma")",
           R"(,"tenant":"Alpha")", R"(,"tenant":5)", R"(,"tenant":"alpha","role":"owner")", ""})
    CAF_CHECK_EQUAL(x.opened(x.token(claims, x.alpha.secret)), "unauthenticated");
  auto unsigned_one = base64url(R"({"alg":"none"})") + "." + base64url(R"({"sub":"ada","tenant":"alpha","role":"admin"})") + ".";
  CAF_CHECK_EQUAL(x.opened(unsigned_one), "unauthenticated");
}

CAF_TEST(where there is one tenant a token need not name it) {
  world x{true, false};
  CAF_CHECK_EQUAL(x.opened(x.token("", x.alpha.secret)), "alpha ada reader");
  CAF_CHECK_EQUAL(x.opened(x.token("", x.beta.secret)), "unauthenticated");
  CAF_CHECK_EQUAL(x.opened(x.token(R"(,"tenant":"beta")", x.alpha.secret)), "unauthenticated");
}

CAF_TEST(a tenant without a secret takes no tokens) {
  world x;
  std::map<std::string, registered_tenant> tenants{{"alpha", {x.start_tenant(x.alpha), ""}}};
  auto another = x.sys.spawn(segue::registry, std::move(tenants), registry_options{.auth = true});
  for (const auto& secret : {std::string{}, x.alpha.secret}) {
    auto asked = x.ask(another, resolve_tenant{x.token(R"(,"tenant":"alpha")", secret)});
    CAF_CHECK_EQUAL(asked.code(), ec::unauthenticated);
  }
  caf::anon_send_exit(another, caf::exit_reason::user_shutdown);
}

CAF_TEST(a removed key works for ten more seconds and no longer) {
  world x;
  auto key = x.alpha.add_key("ada", role::writer);
  CAF_CHECK_EQUAL(x.opened(key), "alpha ada writer");
  CAF_CHECK(x.alpha.rows->erase_key(x.alpha.rows->keys().front().id));
  x.pass(9s);
  CAF_CHECK_EQUAL(x.opened(key), "alpha ada writer");
  x.pass(2s); // that it was used did not prolong it
  CAF_CHECK_EQUAL(x.opened(key), "unauthenticated");
}

CAF_TEST(a new key works at once even when it was refused before) {
  world x;
  auto key = new_api_key("alpha");
  CAF_CHECK_EQUAL(x.opened(key), "unauthenticated");
  x.alpha.rows->insert(describe_key(key, "ada", role::reader, ""));
  CAF_CHECK_EQUAL(x.opened(key), "alpha ada reader");
}

CAF_TEST(a catalogue that is away is not taken for an unknown key) {
  world x;
  auto known = x.alpha.add_key("ada", role::reader);
  auto other = x.alpha.add_key("bob", role::reader);
  CAF_CHECK_EQUAL(x.opened(known), "alpha ada reader");
  x.alpha.catalogue->away(true);
  CAF_CHECK_EQUAL(x.opened(known), "alpha ada reader");
  CAF_CHECK_EQUAL(x.opened(other), "unavailable");
  CAF_CHECK_EQUAL(x.opened(x.beta.add_key("ada", role::reader)), "beta ada reader");
  x.alpha.catalogue->away(false);
  CAF_CHECK_EQUAL(x.opened(other), "alpha bob reader");
}

CAF_TEST(whoever is refused does not learn why) {
  world x;
  auto detail = [&](const std::string& credential) {
    std::string why = "opened";
    auto asker = x.sys.spawn<caf::hidden>([&](caf::event_based_actor* self) {
      self->request(x.registry, caf::infinite, resolve_tenant{credential})
          .then([](const tenant_services&) {}, [&](const caf::error& e) { why = detail_of(e); });
    });
    x.consume_messages();
    return why;
  };
  auto usual = detail(new_api_key("alpha"));
  CAF_CHECK(!usual.empty());
  for (const auto& bad : {new_api_key("gamma"), std::string{"garbage"}, x.token(R"(,"tenant":"alpha")", x.beta.secret),
           x.token(R"(,"tenant":"alpha","exp":1)", x.alpha.secret), x.token(R"(,"tenant":"gamma")", x.alpha.secret)})
    CAF_CHECK_EQUAL(detail(bad), usual);
}

CAF_TEST(without auth anybody may do anything) {
  world x{false, false};
  for (const std::string& credential : {std::string{}, std::string{"garbage"}, new_api_key("beta")})
    CAF_CHECK_EQUAL(x.opened(credential), "alpha  admin");
}

CAF_TEST(ready is a server with a tenant that is and each of them is shown) {
  world x;
  auto ready = [&] {
    auto found = x.ask(x.registry, check_readiness{}).reply();
    std::sort(found.checks.begin(), found.checks.end());
    return found;
  };
  CAF_CHECK(ready().ready);
  auto whole = ready();
  CAF_CHECK_EQUAL(whole.checks,
      (std::vector<std::string>{"alpha catalogue: ok", "alpha chunk store: ok", "alpha generations: ok", "alpha objects: ok",
          "beta catalogue: ok", "beta chunk store: ok", "beta generations: ok", "beta objects: ok"}));
  x.beta.catalogue->away(true); // alpha must not go down with it
  auto partly = ready();
  CAF_CHECK(partly.ready);
  CAF_CHECK_EQUAL(partly.checks[4], "beta catalogue: unavailable");
  x.alpha.catalogue->away(true);
  CAF_CHECK(!ready().ready);
}

CAF_TEST(the tenants end with the registry) {
  world x;
  auto services = x.ask(x.registry, resolve_tenant{x.alpha.add_key("ada", role::admin)}).reply();
  auto tree = x.ask(x.registry, describe_actor{}).reply();
  CAF_REQUIRE_EQUAL(tree.children.size(), 2u);
  CAF_CHECK_EQUAL(tree.children[0].name + ", " + tree.children[1].name, "tenant alpha, tenant beta");
  caf::anon_send_exit(x.registry, caf::exit_reason::user_shutdown);
  x.consume_messages();
  CAF_CHECK_EQUAL(x.ask(services.directory, find_stream{"a"}).code(), ec::unavailable);
}
