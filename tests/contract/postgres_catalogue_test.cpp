// What the catalogue in PostgreSQL does besides the contract: ownership, schema, its URL.
#define CAF_SUITE contract.postgres_catalogue

#include "adapters/postgres/errors.hpp"
#include "adapters/postgres/server.hpp"

#include "tests/support/engines.hpp"
#include "tests/support/postgres_sql.hpp"

#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

using catalogue = std::shared_ptr<catalogue_store>;

catalogue open(const std::string& url) {
  adapter_context context;
  context.store_timeout = 2s;
  return open_catalogue(url, context);
}

generation_row row(const std::string& id) {
  generation_row x;
  x.request_id = id;
  return x;
}

template <class F>
adapter_error thrown(F f) {
  try {
    f();
  } catch (const adapter_error& e) {
    return e;
  }
  return {ec::none, ""};
}

template <class F>
ec code_thrown(F f) {
  return thrown(f).code();
}

ec writing(catalogue_store& store, const std::string& id) {
  return code_thrown([&] { store.insert(row(id)); });
}

bool wins(catalogue_store& store, const std::string& holder, std::chrono::milliseconds how_long = 1min) {
  return !store.take_lease(holder, how_long);
}

/// Lets a lease end; the server's clock says when.
bool wins_in_time(catalogue_store& store, const std::string& holder) {
  for (auto end = std::chrono::steady_clock::now() + 10s; std::chrono::steady_clock::now() < end;)
    if (wins(store, holder))
      return true;
  return false;
}

} // namespace

// -- ownership --------------------------------------------------------------------------------------------------------

CAF_TEST(nobody writes generations without the lease) {
  auto url = postgres_url();
  auto store = open(url);
  auto x = row("a");
  CAF_CHECK_EQUAL(writing(*store, "a"), ec::fenced);
  CAF_CHECK_EQUAL(code_thrown([&] { store->store(x); }), ec::fenced);
  CAF_CHECK_EQUAL(code_thrown([&] { store->erase("a"); }), ec::fenced);
  CAF_CHECK(!store->find("a"));
  CAF_CHECK(store->unfinished(0, 10).empty());
  CAF_CHECK(wins(*store, "one"));
  CAF_CHECK_EQUAL(writing(*store, "a"), ec::none);
  CAF_CHECK(!store->store(row("b"))); // not there, which is another thing than fenced
}

CAF_TEST(the lease belongs to one process at a time) {
  auto url = postgres_url();
  auto one = open(url);
  auto two = open(url);
  CAF_CHECK(wins(*one, "one"));
  CAF_CHECK_EQUAL(two->take_lease("two", 1min).value_or(""), "one");
  CAF_CHECK_EQUAL(writing(*two, "a"), ec::fenced);
  CAF_CHECK_EQUAL(writing(*one, "a"), ec::none);
  CAF_CHECK(wins(*one, "one")); // prolonged
  CAF_CHECK_EQUAL(writing(*one, "b"), ec::none);
  two->release_lease("two"); // not its own
  CAF_CHECK_EQUAL(writing(*one, "c"), ec::none);
  one->release_lease("one");
  CAF_CHECK_EQUAL(writing(*one, "d"), ec::fenced);
  CAF_CHECK(wins(*two, "two"));
  CAF_CHECK_EQUAL(writing(*two, "d"), ec::none);
}

CAF_TEST(an ended lease is taken over and its former owner fenced) {
  auto url = postgres_url();
  auto one = open(url);
  auto two = open(url);
  CAF_CHECK(wins(*one, "one", 100ms));
  auto x = row("a");
  x.accepted = one->insert(x);
  CAF_CHECK(wins_in_time(*two, "two"));
  auto changed = x;
  changed.state = generation_state::failed;
  CAF_CHECK_EQUAL(code_thrown([&] { one->store(changed); }), ec::fenced);
  CAF_CHECK_EQUAL(code_thrown([&] { one->erase("a"); }), ec::fenced);
  CAF_CHECK_EQUAL(writing(*one, "b"), ec::fenced);
  CAF_CHECK(one->find("a") == x);
  CAF_CHECK_EQUAL(one->take_lease("one", 1min).value_or(""), "two");
  CAF_CHECK_EQUAL(writing(*two, "b"), ec::none);
}

CAF_TEST(a lease that somebody else had meanwhile is lost and then a new one) {
  auto url = postgres_url();
  for (bool written : {false, true}) {
    auto one = open(url);
    auto two = open(url);
    CAF_CHECK(wins(*one, "one", 0ms));
    CAF_CHECK(wins_in_time(*two, "two"));
    CAF_CHECK_EQUAL(writing(*two, written ? "a" : "b"), ec::none);
    if (written)
      CAF_CHECK_EQUAL(writing(*one, "c"), ec::fenced);
    two->release_lease("two");
    CAF_CHECK(one->take_lease("one", 1min).has_value()); // whoever prolongs it has to know
    CAF_CHECK_EQUAL(writing(*one, "c"), ec::fenced);
    CAF_CHECK(wins(*one, "one"));
    CAF_CHECK_EQUAL(writing(*one, written ? "d" : "e"), ec::none);
    one->release_lease("one");
  }
}

CAF_TEST(an ended lease that nobody took goes on) {
  auto store = open(postgres_url());
  CAF_CHECK(wins(*store, "one", 0ms));
  CAF_CHECK_EQUAL(writing(*store, "a"), ec::none);
  CAF_CHECK(wins(*store, "one"));
  CAF_CHECK_EQUAL(writing(*store, "b"), ec::none);
}

CAF_TEST(a restarted process takes its lease at once and fences what it was) {
  auto url = postgres_url();
  auto before = open(url);
  CAF_CHECK(wins(*before, "one"));
  auto after = open(url);
  CAF_CHECK(wins(*after, "one"));
  CAF_CHECK_EQUAL(writing(*before, "a"), ec::fenced);
  CAF_CHECK_EQUAL(writing(*after, "a"), ec::none);
}

// -- the schema -------------------------------------------------------------------------------------------------------

CAF_TEST(a schema of a newer version is refused) {
  auto url = postgres_url();
  open(url);
  postgres_sql{url}.run("INSERT INTO migrations (version) VALUES (1000)");
  CAF_CHECK_EQUAL(code_thrown([&] { open(url); }), ec::conflict);
}

CAF_TEST(a schema of the first version is brought up to date) {
  auto url = postgres_url();
  auto store = open(url);
  CAF_CHECK(wins(*store, "one"));
  auto x = row("a");
  x.accepted = store->insert(x);
  store.reset();
  postgres_sql sql{url};
  auto newest = sql.value("SELECT max(version) FROM migrations");
  sql.run("DROP TABLE api_keys; DROP TABLE transfers; DELETE FROM migrations WHERE version > 1");
  store = open(url);
  CAF_CHECK(store->find("a") == x);
  CAF_CHECK(store->keys().empty());
  CAF_CHECK(store->transfers(0, 10, false).empty());
  CAF_CHECK_EQUAL(sql.value("SELECT max(version) FROM migrations"), newest);
  CAF_CHECK_EQUAL(sql.value("SELECT count(*) FROM migrations"), newest);
}

CAF_TEST(who does not own the catalogue only looks at its schema) {
  auto url = postgres_url();
  auto looking = [&] {
    adapter_context context;
    context.owner = false;
    return thrown([&] { open_catalogue(url, context); });
  };
  auto none = looking();
  CAF_CHECK_EQUAL(none.code(), ec::conflict);
  CAF_CHECK(std::string{none.what()}.find("is not there yet") != std::string::npos);
  open(url);
  CAF_CHECK_EQUAL(looking().code(), ec::none);
  postgres_sql sql{url};
  auto newest = sql.value("SELECT max(version) FROM migrations");
  sql.run("DROP TABLE api_keys; DELETE FROM migrations WHERE version = " + newest);
  auto old = looking();
  CAF_CHECK_EQUAL(old.code(), ec::conflict);
  CAF_CHECK(std::string{old.what()}.find("needs `segue migrate`") != std::string::npos);
  CAF_CHECK_EQUAL(sql.value("SELECT to_regclass('api_keys') IS NULL"), "t");
}

CAF_TEST(a migration that fails leaves everything as it was) {
  auto url = postgres_url();
  open(url);
  postgres_sql sql{url};
  sql.run("DROP TABLE transfers; DELETE FROM migrations WHERE version > 1"); // the keys are in the way
  CAF_CHECK_NOT_EQUAL(code_thrown([&] { open(url); }), ec::none);
  CAF_CHECK_EQUAL(sql.value("SELECT max(version) FROM migrations"), "1");
  CAF_CHECK_EQUAL(sql.value("SELECT to_regclass('transfers') IS NULL"), "t");
}

CAF_TEST(sessions wait for the disk whatever the default of the server is) {
  auto url = postgres_url();
  auto store = open(url);
  store->keys();
  // What a session of the catalogue is set to cannot be asked for from outside: a trigger tells.
  postgres_sql sql{url};
  sql.run(R"(CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN NEW.note = current_setting('synchronous_commit'); RETURN NEW; END $$;
             CREATE TRIGGER tell BEFORE INSERT ON api_keys FOR EACH ROW EXECUTE FUNCTION tell())");
  store->insert(api_key{"a", "h", "u", role::reader, "", 1});
  auto told = store->find_key("h");
  CAF_REQUIRE(told);
  CAF_CHECK_EQUAL(told->note, "on");
}

// -- what the server refuses ------------------------------------------------------------------------------------------

CAF_TEST(what the server refuses has a code) {
  auto url = postgres_url();
  auto store = open(url);
  postgres_sql sql{url};
  sql.run(R"(CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'not today' USING ERRCODE = NEW.note; END $$;
             CREATE TRIGGER refuse BEFORE INSERT ON api_keys FOR EACH ROW EXECUTE FUNCTION refuse())");
  auto refused = [&](const char* state) {
    return code_thrown([&] { store->insert(api_key{"a", "h", "u", role::reader, state, 1}); });
  };
  CAF_CHECK_EQUAL(refused("53100"), ec::storage_full);
  CAF_CHECK_EQUAL(refused("23505"), ec::conflict);
  CAF_CHECK_EQUAL(refused("42501"), ec::invalid_argument);
  CAF_CHECK_EQUAL(refused("40001"), ec::unavailable);
  CAF_CHECK_EQUAL(refused("40P01"), ec::unavailable);
  CAF_CHECK_EQUAL(refused("25006"), ec::unavailable);
  CAF_CHECK_EQUAL(refused("57014"), ec::timeout);
  CAF_CHECK_EQUAL(refused("XX001"), ec::corrupt);
  CAF_CHECK(store->keys().empty());
}

CAF_TEST(a transaction that gave way to another one is tried once more) {
  auto url = postgres_url();
  auto store = open(url);
  postgres_sql sql{url};
  sql.run(R"(CREATE SEQUENCE tries;
             CREATE FUNCTION give_way() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN IF nextval('tries') = 1 THEN RAISE EXCEPTION 'after you' USING ERRCODE = '40001'; END IF; RETURN NEW; END $$;
             CREATE TRIGGER give_way BEFORE INSERT ON api_keys FOR EACH ROW EXECUTE FUNCTION give_way())");
  store->insert(api_key{"a", "h", "u", role::reader, "", 1});
  CAF_CHECK_EQUAL(store->keys().size(), 1u);
  CAF_CHECK_EQUAL(sql.value("SELECT last_value FROM tries"), "2");
}

// -- the URL ----------------------------------------------------------------------------------------------------------

CAF_TEST(a URL is read as it is written) {
  auto x = postgres::read_server("postgresql://me:p%40ss@[::1]:5433/music?sslmode=verify-full&sslrootcert=/ca.pem", {});
  auto& p = x.parameters;
  CAF_CHECK_EQUAL(p["user"], "me");
  CAF_CHECK_EQUAL(p["password"], "p@ss");
  CAF_CHECK_EQUAL(p["host"], "::1");
  CAF_CHECK_EQUAL(p["port"], "5433");
  CAF_CHECK_EQUAL(p["dbname"], "music");
  CAF_CHECK_EQUAL(p["sslmode"], "verify-full");
  CAF_CHECK_EQUAL(p["sslrootcert"], "/ca.pem");
  CAF_CHECK_EQUAL(x.schema, "segue");
  CAF_CHECK_EQUAL(x.shown, "postgresql://[::1]:5433/music");
  CAF_CHECK(!postgres::read_server("postgresql://h/d", {}).parameters.contains("password"));
}

CAF_TEST(a URL that says something impossible is refused without its password) {
  for (const auto* query :
      {"schema=Segue", "schema=pg_x", "schema=a-b", "schema=", "schema=1a", "sslmode=maybe", "timeout=1"}) {
    auto e = thrown([&] { postgres::read_server("postgresql://me:secret@h/d?" + std::string{query}, {}); });
    CAF_CHECK_EQUAL(e.code(), ec::invalid_argument);
    CAF_CHECK(std::string{e.what()}.find("secret") == std::string::npos);
  }
}

CAF_TEST(a refusal is read from what a server says in any language) {
  auto text = "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  28P01: Passwort falsch\nLOCATION:  "
              "auth.c:335\n";
  CAF_CHECK_EQUAL(postgres::state_in(text), "28P01");
  CAF_CHECK_EQUAL(postgres::state_in("connection refused"), "");
  auto e = postgres::refused("here", "28P01", text);
  CAF_CHECK_EQUAL(e.code(), ec::invalid_argument);
  CAF_CHECK(std::string{e.what()}.find("LOCATION") == std::string::npos);
}
