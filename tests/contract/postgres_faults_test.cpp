// The catalogue in PostgreSQL while connections break, the server hangs, is full or gone: what is said is true, nothing
// blocks, and it comes back by itself.
#define CAF_SUITE contract.postgres_faults

#include "tests/support/postgres_server.hpp"
#include "tests/support/postgres_sql.hpp"

#include <future>

#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

using catalogue = std::shared_ptr<catalogue_store>;
using clock_type = std::chrono::steady_clock;

catalogue open(const std::string& url, std::chrono::milliseconds timeout = 2s, size_t connections = 3) {
  adapter_context context;
  context.store_timeout = timeout;
  context.connections = connections;
  return open_catalogue(url, context);
}

catalogue open_as_owner(const std::string& url, std::chrono::milliseconds timeout = 2s, size_t connections = 3) {
  auto store = open(url, timeout, connections);
  CAF_REQUIRE(!store->take_lease("one", 10min));
  return store;
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

ec reading(catalogue_store& store) {
  return code_thrown([&] { store.newest("", UINT64_MAX, 1); });
}

ec writing(catalogue_store& store, const std::string& id) {
  return code_thrown([&] { store.insert(row(id)); });
}

template <class Predicate>
bool in_time(Predicate done, std::chrono::milliseconds patience = 20s) {
  for (auto end = clock_type::now() + patience; clock_type::now() < end; std::this_thread::sleep_for(20ms))
    if (done())
      return true;
  return false;
}

/// The processes that serve catalogues of this server.
std::vector<int> backends(postgres_sql& sql, const std::string& more = "") {
  std::vector<int> found;
  for (const auto& x : sql.run("SELECT pid FROM pg_stat_activity WHERE application_name = 'segue' " + more))
    found.push_back(x[0].as<int>());
  return found;
}

/// Somebody else's lock, until it is destroyed.
struct table_lock {
  table_lock(const std::string& url, const std::string& table) : sql(url) {
    sql.run("BEGIN; LOCK TABLE " + table + " IN ACCESS EXCLUSIVE MODE");
  }
  postgres_sql sql;
};

} // namespace

// -- connections that break -------------------------------------------------------------------------------------------

CAF_TEST(connections that broke while they lay idle are not noticed) {
  postgres_server server;
  auto url = server.url();
  auto store = open_as_owner(url);
  postgres_sql sql{url};
  for (int round = 0; round < 3; ++round) {
    CAF_CHECK_GREATER(backends(sql).size(), 0u);
    sql.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'segue'");
    CAF_CHECK(in_time([&] { return backends(sql).empty(); }));
    CAF_CHECK_EQUAL(writing(*store, "a" + std::to_string(round)), ec::none);
    CAF_CHECK(!store->take_lease("one", 10min));
  }
}

CAF_TEST(a write whose connection breaks midway has an unknown outcome and a read has none) {
  postgres_server server;
  auto url = server.url();
  auto store = open_as_owner(url, 10s);
  CAF_CHECK_EQUAL(writing(*store, "before"), ec::none); // now the server knows the statement, which is not sent again
  postgres_sql sql{url};
  auto cut_midway = [&](auto call) {
    table_lock lock{url, "generations"};
    auto result = std::async(std::launch::async, call);
    std::vector<int> waiting;
    CAF_CHECK(in_time([&] { return !(waiting = backends(sql, "AND wait_event_type = 'Lock'")).empty(); }));
    for (auto x : waiting)
      sql.run("SELECT pg_terminate_backend(" + std::to_string(x) + ")");
    return result.get();
  };
  CAF_CHECK_EQUAL(cut_midway([&] { return writing(*store, "a"); }), ec::unknown_outcome);
  CAF_CHECK_EQUAL(cut_midway([&] { return reading(*store); }), ec::unavailable);
  CAF_CHECK(!store->find("a")); // the server had undone it
  CAF_CHECK_EQUAL(writing(*store, "a"), ec::none);
}

CAF_TEST(a restart of the server is survived) {
  postgres_server server;
  auto store = open_as_owner(server.url());
  CAF_CHECK_EQUAL(writing(*store, "a"), ec::none);
  server.stop();
  CAF_CHECK_EQUAL(reading(*store), ec::unavailable);
  CAF_CHECK_EQUAL(writing(*store, "b"), ec::unavailable); // it was certainly not sent
  CAF_CHECK_EQUAL(code_thrown([&] { store->take_lease("one", 1min); }), ec::unavailable);
  server.start();
  CAF_CHECK(store->find("a").has_value());
  CAF_CHECK_EQUAL(writing(*store, "b"), ec::none); // the lease is in the database
  CAF_CHECK(!store->take_lease("one", 1min));
}

// -- a server that hangs ----------------------------------------------------------------------------------------------

CAF_TEST(a server that hangs is waited for only so long) {
  postgres_server server;
  constexpr auto limit = 400ms;
  auto store = open_as_owner(server.url(), limit);
  CAF_CHECK(!store->take_lease("one", 10min)); // prolonged: the server knows that statement
  CAF_CHECK_EQUAL(reading(*store), ec::none);
  auto within_limits = [&](auto call, ec expected) { // or at once, because somebody has just waited in vain
    auto before = clock_type::now();
    auto code = call();
    CAF_CHECK(code == expected || code == ec::unavailable);
    CAF_CHECK_LESS(clock_type::now() - before, 3 * limit + 200ms);
  };
  server.freeze();
  within_limits([&] { return reading(*store); }, ec::timeout); // over a connection it had
  within_limits([&] { return reading(*store); }, ec::timeout); // over none
  within_limits([&] { return writing(*store, "a"); }, ec::timeout);
  within_limits([&] { return code_thrown([&] { store->take_lease("one", 1min); }); }, ec::unknown_outcome);
  within_limits([&] { return code_thrown([&] { open(server.url(), limit); }); }, ec::timeout);
  server.thaw();
  CAF_CHECK(in_time([&] { return reading(*store) == ec::none; }));
  CAF_CHECK(in_time([&] { return writing(*store, "a") == ec::none; }));
  CAF_CHECK(in_time([&] { return code_thrown([&] { store->take_lease("one", 1min); }) == ec::none; }));
  CAF_CHECK(!store->take_lease("one", 1min));
}

CAF_TEST(what the server does too late does nothing) {
  postgres_server server;
  auto url = server.url();
  auto store = open_as_owner(url, 400ms);
  CAF_CHECK_EQUAL(writing(*store, "first"), ec::none);
  postgres_sql sql{url};
  auto frozen = backends(sql);
  for (auto x : frozen)
    postgres_server::freeze(x);
  CAF_CHECK_EQUAL(
      writing(*store, "late"), ec::unknown_outcome); // it waits in the socket of a process that stands still
  CAF_CHECK(in_time([&] { return reading(*store) == ec::none; }));
  CAF_CHECK(!store->find("late"));                   // that is decided from now on
  for (auto x : frozen)
    postgres_server::thaw(x);
  CAF_CHECK(in_time([&] { // it does what it was told, and ends
    auto now = backends(sql);
    return std::any_of(frozen.begin(), frozen.end(), [&](int x) { return std::count(now.begin(), now.end(), x) == 0; });
  }));
  CAF_CHECK(in_time([&] { return reading(*store) == ec::none; }));
  CAF_CHECK(!store->find("late"));
  CAF_CHECK(store->find("first").has_value());
  CAF_CHECK_EQUAL(writing(*store, "next"), ec::none); // and we are still the owner
}

CAF_TEST(the lease is prolonged while everything else waits) {
  postgres_server server;
  auto url = server.url();
  auto store = open_as_owner(url, 2s, 1);
  table_lock lock{url, "generations"};
  std::vector<std::future<ec>> waiting;
  for (int i = 0; i < 3; ++i)
    waiting.push_back(std::async(std::launch::async, [&] { return reading(*store); }));
  postgres_sql sql{url};
  CAF_CHECK(in_time([&] { return !backends(sql, "AND wait_event_type = 'Lock'").empty(); }));
  auto before = clock_type::now();
  CAF_CHECK(!store->take_lease("one", 1min));
  CAF_CHECK_LESS(clock_type::now() - before, 1s);
  std::multiset<ec> ends;
  for (auto& x : waiting)
    ends.insert(x.get());
  CAF_CHECK_EQUAL(ends.count(ec::timeout), 2u); // the server gives up, one after the other
  CAF_CHECK_EQUAL(ends.count(ec::busy), 1u);    // no connection came free
}

// -- a server that says no --------------------------------------------------------------------------------------------

CAF_TEST(a server that is full is told as unavailable and used again once it is not ) {
  postgres_server server{"max_connections = 6\nsuperuser_reserved_connections = 0\nmax_wal_senders = 0"};
  auto url = server.url();
  auto store = open(url);
  postgres_sql sql{url};
  sql.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'segue'");
  CAF_CHECK(in_time([&] { return backends(sql).empty(); }));
  std::vector<std::unique_ptr<postgres_sql>> others;
  try {
    for (;;)
      others.push_back(std::make_unique<postgres_sql>(url));
  } catch (const std::exception&) {
    // full
  }
  auto e = thrown([&] { store->keys(); });
  CAF_CHECK_EQUAL(e.code(), ec::unavailable);
  CAF_CHECK(std::string{e.what()}.find("max_connections") != std::string::npos);
  others.clear();
  CAF_CHECK(in_time([&] { return code_thrown([&] { store->keys(); }) == ec::none; }));
}

CAF_TEST(who may not enter is told why and never with the password) {
  postgres_server server;
  postgres_sql{server.plain_url()}.run("CREATE ROLE guest LOGIN PASSWORD 'guest-pass'");
  auto refused = [](const std::string& url) {
    auto e = thrown([&] { open(url); });
    for (const auto* secret : {"wrong-pass", "guest-pass", postgres_server::password.c_str()})
      CAF_CHECK(std::string{e.what()}.find(secret) == std::string::npos);
    return e.code();
  };
  CAF_CHECK_EQUAL(refused(server.plain_url("segue", "wrong-pass")), ec::invalid_argument);
  CAF_CHECK_EQUAL(refused(server.plain_url("nobody", "wrong-pass")), ec::invalid_argument);
  CAF_CHECK_EQUAL(refused(server.plain_url() + "_that_is_not_there"), ec::invalid_argument);
  CAF_CHECK_EQUAL(refused(server.plain_url("guest", "guest-pass")), ec::invalid_argument); // may not create a schema
  CAF_CHECK_EQUAL(refused(server.plain_url() + "?sslmode=require"), ec::unavailable);      // has no certificate
  server.stop();
  CAF_CHECK_EQUAL(refused(server.plain_url()), ec::unavailable);
}
