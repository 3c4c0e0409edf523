// What the engine on Redis demands of a server and of its URL before it trusts it with anything.
#define CAF_SUITE contract.redis_settings

#include "adapters/redis/redis_chunk_cache.hpp"
#include "adapters/redis/redis_chunk_store.hpp"

#include "tests/support/redis_server.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<redis::redis_chunk_store> open(const std::string& url) {
  return std::make_shared<redis::redis_chunk_store>(redis::store_options{url, 5s, 3, true});
}

/// Why it cannot be opened; empty: it can. The password must not be part of it.
std::string refusal(const std::string& url, ec expected = ec::invalid_argument) {
  try {
    open(url);
    return {};
  } catch (const adapter_error& e) {
    std::string text = e.what();
    CAF_CHECK_EQUAL(e.code(), expected);
    CAF_CHECK(text.find("secret") == std::string::npos);
    return text;
  }
}

bool names(const std::string& text, const std::vector<std::string>& words) {
  auto good = true;
  for (const auto& word : words)
    if (text.find(word) == std::string::npos) {
      good = false;
      CAF_ERROR("\"" << word << "\" is not in: " << text);
    }
  return good;
}

} // namespace

CAF_TEST(a server that may lose what it acknowledged is refused unless that is wanted) {
  redis_server server;
  CAF_CHECK_EQUAL(refusal(server.url()), "");
  server.set("appendfsync", "everysec");
  CAF_CHECK(names(refusal(server.url()), {"appendfsync is \"everysec\"", "CONFIG SET appendfsync always",
      "?durability=everysec", "last second"}));
  CAF_CHECK(names(refusal(server.url("?durability=trusted")), {"appendfsync"})); // nobody need trust what can be seen
  CAF_CHECK_EQUAL(refusal(server.url("?durability=everysec")), "");
  server.set("appendfsync", "no");
  CAF_CHECK(names(refusal(server.url("?durability=everysec")), {"CONFIG SET appendfsync everysec"}));
  server.set("appendfsync", "always");
  CAF_CHECK_EQUAL(refusal(server.url("?durability=everysec")), "");
  server.set("no-appendfsync-on-rewrite", "yes");
  CAF_CHECK(names(refusal(server.url()), {"CONFIG SET no-appendfsync-on-rewrite no"}));
  server.set("no-appendfsync-on-rewrite", "no");
  server.set("appendonly", "no");
  CAF_CHECK(names(refusal(server.url()), {"CONFIG SET appendonly yes"}));
  CAF_CHECK(names(refusal(server.url("?durability=everysec")), {"CONFIG SET appendonly yes"}));
}

CAF_TEST(a server that throws keys away is refused) {
  redis_server server;
  for (const auto* policy : {"allkeys-lru", "volatile-ttl"}) {
    server.set("maxmemory-policy", policy);
    CAF_CHECK(names(refusal(server.url()), {policy, "CONFIG SET maxmemory-policy noeviction"}));
    CAF_CHECK(names(refusal(server.url("?durability=everysec")), {policy}));
  }
  redis::redis_chunk_cache cache{{server.url()}}; // which may be there
}

CAF_TEST(a user who may not look at the settings has somebody vouch for them) {
  redis_server server;
  // As adapters/redis/README.md has it, but for CONFIG.
  server.tell({"ACL", "SETUSER", "segue", "on", ">secret", "~segue:*", "+@read", "+@write", "+@scripting", "+@connection",
      "-@dangerous", "+info"});
  auto url = [&](const std::string& query) {
    auto text = server.url(query);
    return text.insert(text.find(":secret"), "segue");
  };
  CAF_CHECK(names(refusal(url("")), {"CONFIG GET", "+config|get", "?durability=trusted", "?durability=everysec"}));
  CAF_CHECK_EQUAL(refusal(url("?durability=everysec")), "");
  auto store = open(url("?durability=trusted"));
  CAF_CHECK(!store->take_lease("a", 1min));
  std::vector<stream_write> writes{create_stream{{"a", "audio/mpeg", 60}, 7}, claim_stream{"a"}, delete_stream{"a"}};
  for (const auto& outcome : store->commit(writes))
    CAF_CHECK_EQUAL(outcome.code, ec::none);
  CAF_CHECK(store->load_expiring(0, 10).empty() && !store->load_row("a"));
  store->release_lease("a");
  redis::redis_chunk_cache cache{{url("")}};
  auto elsewhere = open(url("?durability=trusted&prefix=other:"));
  try {
    elsewhere->take_lease("a", 1min);
    CAF_ERROR("it may use other keys");
  } catch (const adapter_error& e) {
    CAF_CHECK_EQUAL(e.code(), ec::invalid_argument);
    CAF_CHECK(names(e.what(), {"ACL"}));
  }
  server.set("maxmemory-policy", "allkeys-lru");
  CAF_CHECK(names(refusal(url("?durability=trusted")), {"allkeys-lru"}));
  server.set("maxmemory-policy", "noeviction");
  server.set("appendonly", "no");
  CAF_CHECK(names(refusal(url("?durability=trusted")), {"appendonly"}));
  server.tell({"ACL", "SETUSER", "segue", "+config|get"});
  server.set("appendonly", "yes");
  CAF_CHECK_EQUAL(refusal(url("")), "");
}

CAF_TEST(settings that have changed are noticed when the store is reopened) {
  redis_server server;
  auto store = open(server.url());
  CAF_CHECK(!store->take_lease("a", 1min));
  server.set("appendfsync", "everysec");
  try {
    store->reopen();
    CAF_ERROR("it was reopened");
  } catch (const adapter_error& e) {
    CAF_CHECK_EQUAL(e.code(), ec::unavailable); // the operator may put it right
    CAF_CHECK(names(e.what(), {"CONFIG SET appendfsync always"}));
  }
  stream_write write = create_stream{{"a", "audio/mpeg"}, 7};
  try {
    store->commit({&write, 1});
    CAF_ERROR("it was committed to");
  } catch (const adapter_error& e) {
    CAF_CHECK_EQUAL(e.code(), ec::unavailable);
  }
  server.set("appendfsync", "always");
  store->reopen();
  auto outcomes = store->commit({&write, 1});
  CAF_CHECK_EQUAL(outcomes.front().code, ec::none);
}

CAF_TEST(a URL says what is wrong with it and never the password) {
  redis_server server;
  auto port = std::to_string(server.port());
  CAF_CHECK(names(refusal("redis://127.0.0.1:" + port), {"wants a password"}));
  CAF_CHECK(names(refusal("redis://:secretive@127.0.0.1:" + port + "/0"), {"wrong"}));
  CAF_CHECK(names(refusal("redis://nobody:secret@127.0.0.1:" + port + "/0"), {"wrong"}));
  CAF_CHECK(names(refusal("redis://nobody@127.0.0.1:" + port + "/0"), {"has no password"}));
  CAF_CHECK(names(refusal("redis://:secret@127.0.0.1:" + port + "/zero"), {"not the number of a database"}));
  CAF_CHECK(names(refusal("redis://:secret@127.0.0.1:" + port + "/99"), {"number of a database"}));
  CAF_CHECK(names(refusal(server.url("?durabilty=always")), {"durabilty", "prefix and durability"}));
  CAF_CHECK(names(refusal(server.url("?durability=never")), {"never", "everysec"}));
  CAF_CHECK(names(refusal("redis:"), {"redis:"}));
  CAF_CHECK(names(refusal("redis://:secret@127.0.0.1:1/0", ec::unavailable), {"127.0.0.1:1"}));
  CAF_CHECK_EQUAL(refusal("redis://:secret@127.0.0.1:" + port + "/3"), "");
  server.set("requirepass", "");
  CAF_CHECK(names(refusal("redis://:secret@127.0.0.1:" + port + "/0"), {"no password"}));
  CAF_CHECK_EQUAL(refusal("redis://127.0.0.1:" + port), "");
}

CAF_TEST(a cache whose URL is wrong is refused and one whose server is away is not) {
  redis_server server;
  auto code = [](const std::string& url) {
    try {
      redis::redis_chunk_cache cache{{url}};
      return ec::none;
    } catch (const adapter_error& e) {
      return e.code();
    }
  };
  CAF_CHECK_EQUAL(code(server.url()), ec::none);
  CAF_CHECK_EQUAL(code(server.url("?durability=always")), ec::invalid_argument);
  CAF_CHECK_EQUAL(code("redis://:wrong@127.0.0.1:" + std::to_string(server.port())), ec::invalid_argument);
  CAF_CHECK_EQUAL(code("redis://127.0.0.1:1"), ec::none);
}
