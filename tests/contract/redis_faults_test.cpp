// The engine on Redis when the server hangs, dies, is full, or gets commands late.
#define CAF_SUITE contract.redis_faults

#include "adapters/redis/redis_chunk_cache.hpp"
#include "adapters/redis/redis_chunk_store.hpp"

#include <arpa/inet.h>
#include <array>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "tests/support/late_gate.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;
using redis::redis_chunk_store;

namespace {

std::shared_ptr<redis_chunk_store> open_owned(const std::string& url, std::chrono::milliseconds timeout = 5s) {
  auto store = std::make_shared<redis_chunk_store>(redis::store_options{url, timeout, 3, true});
  CAF_REQUIRE(!store->take_lease("a", 1min));
  return store;
}

write_outcome commit(chunk_store& store, stream_write write) {
  auto outcomes = store.commit({&write, 1});
  CAF_REQUIRE_EQUAL(outcomes.size(), 1u);
  return std::move(outcomes.front());
}

template <class F>
ec thrown(F f) {
  try {
    f();
    return ec::none;
  } catch (const adapter_error& e) {
    return e.code();
  }
}

/// Whether it throws one of the two codes for a server that is away, and does so in time.
template <class F>
bool away(F f, std::chrono::milliseconds at_most) {
  auto before = std::chrono::steady_clock::now();
  auto code = thrown(f);
  auto took = std::chrono::steady_clock::now() - before;
  return (code == ec::unavailable || code == ec::timeout) && took < at_most;
}

template <class F>
void until_it_works(F f) {
  for (int attempt = 0; attempt < 100 && thrown(f) != ec::none; ++attempt)
    std::this_thread::sleep_for(20ms);
}

stream_row create(chunk_store& store, const std::string& path = "a") {
  return commit(store, create_stream{{path, "audio/mpeg"}, 7}).written.row;
}

put_chunks put(const stream_row& row, const std::string& text, bool close = false) {
  return {row.id, row.owner_epoch, row.tail, {{row.tail, payload{text}, {}}}, {}, {}, close, {}};
}

std::string all(chunk_store& store, stream_id id) {
  std::string bytes;
  for (const auto& x : store.load_chunks(id, 0, UINT64_MAX))
    bytes += x.bytes.view();
  return bytes;
}

/// A port whose queue is full: whoever connects hears nothing, as from a machine that is off.
class silent_machine {
public:
  silent_machine() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    CAF_REQUIRE(::bind(door_, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(door_, 0) == 0);
    ::getsockname(door_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    for (auto& queued : queue_) {
      queued = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      ::connect(queued, reinterpret_cast<sockaddr*>(&address), size);
    }
    std::this_thread::sleep_for(50ms);
  }

  ~silent_machine() {
    ::close(door_);
    for (auto queued : queue_)
      ::close(queued);
  }

  std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }

private:
  int door_ = ::socket(AF_INET, SOCK_STREAM, 0);
  std::array<int, 4> queue_{};
  uint16_t port_ = 0;
};

} // namespace

CAF_TEST(a machine that does not even take connections is waited for once and not by everybody) {
  silent_machine away_one;
  redis::connection_pool pool{redis::server_of(parse_store_url(away_one.url()), 500ms), 2};
  auto use = [&] { pool.with([](redis::connection& server) { return server.run({"PING"}); }); };
  CAF_CHECK_EQUAL(thrown(use), ec::timeout);
  CAF_CHECK(away(use, 100ms));
}

CAF_TEST(a server that hangs up while nothing is under way costs no append) {
  redis_server server;
  auto store = open_owned(server.url());
  auto row = create(*store);
  for (int i = 0; i < 3; ++i) {
    if (i < 2) {
      server.tell({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}); // as its `timeout` does
    } else {
      server.kill();
      server.start();
    }
    auto outcome = commit(*store, put(row, "abc"));
    CAF_CHECK_EQUAL(outcome.code, ec::none);
    row = outcome.written.row;
  }
  CAF_CHECK_EQUAL(row.tail, 9u);
}

CAF_TEST(a command that comes late after reopening does nothing) {
  redis_server server;
  late_gate gate{server.port()};
  auto store = open_owned(server.url("", gate.port()), 300ms);
  auto row = commit(*store, put(create(*store), "abc")).written.row;
  gate.hold(); // also the connection of the lease
  CAF_CHECK(away([&] { commit(*store, put(row, "late")); }, 1s));
  CAF_CHECK(away([&] { commit(*store, put(row, "not reopened")); }, 1s));
  until_it_works([&] { store->reopen(); });
  CAF_CHECK(store->load_row("a") == row);
  gate.deliver();
  CAF_CHECK_GREATER(gate.delivered(), 100u);
  CAF_CHECK(store->load_row("a") == row);
  CAF_CHECK_EQUAL(all(*store, row.id), "abc");
  CAF_CHECK(!store->take_lease("a", 1min));
  CAF_CHECK_EQUAL(commit(*store, put(row, "def")).code, ec::none);
  CAF_CHECK_EQUAL(all(*store, row.id), "abcdef");
}

CAF_TEST(a lease that is taken late is not taken) {
  redis_server server;
  late_gate gate{server.port()};
  auto former = open_owned(server.url("", gate.port()), 300ms);
  gate.hold();
  CAF_CHECK(away([&] { former->take_lease("a", 1h); }, 1s));
  CAF_CHECK(!former->take_lease("a", 1min));
  former->release_lease("a");
  gate.deliver();
  redis_chunk_store next{redis::store_options{server.url()}};
  CAF_CHECK(!next.take_lease("b", 1min));
}

CAF_TEST(nothing waits longer than the server may take) {
  redis_server server;
  auto store = open_owned(server.url(), 200ms);
  redis::redis_chunk_cache cache{{server.url("?prefix=cache:"), 3, 100ms}};
  auto row = commit(*store, put(create(*store), "abc")).written.row;
  cache.put(1, store->load_chunks(row.id, 0, 100));
  server.hang();
  CAF_CHECK(away([&] { store->load_row("a"); }, 1s));
  CAF_CHECK(away([&] { store->load_chunks(row.id, 0, 100); }, 1s));
  CAF_CHECK(away([&] { commit(*store, put(row, "unknown")); }, 1s));
  CAF_CHECK(away([&] { store->reopen(); }, 1s));
  CAF_CHECK(away([&] { store->take_lease("a", 1min); }, 1s));
  CAF_CHECK(away([&] { redis_chunk_store other{redis::store_options{server.url(), 200ms}}; }, 1s));
  std::atomic<int> in_time{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 6; ++i)
    readers.emplace_back([&] { in_time += away([&] { store->load_row("a"); }, 2s) ? 1 : 0; });
  for (auto& x : readers)
    x.join();
  CAF_CHECK_EQUAL(in_time.load(), 6);
  auto before = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000; ++i)
    CAF_CHECK(cache.get(1, 0, 100).empty());
  CAF_CHECK(std::chrono::steady_clock::now() - before < 800ms); // only the first one has waited
  server.go_on();
  until_it_works([&] { store->reopen(); });
  until_it_works([&] { store->load_row("a"); }); // it is left alone for a second
  auto now = store->load_row("a").value_or(stream_row{});
  CAF_CHECK(now.tail == 3 || now.tail == 10);
  CAF_CHECK_EQUAL(all(*store, row.id), now.tail == 3 ? "abc" : "abcunknown");
  CAF_CHECK_EQUAL(commit(*store, put(now, "!")).code, ec::none);
  std::this_thread::sleep_for(1100ms);
  CAF_CHECK_EQUAL(cache.get(1, 0, 100).size(), 1u);
}

CAF_TEST(after a crash of the server everything acknowledged is there) {
  redis_server server;
  auto store = open_owned(server.url());
  redis::redis_chunk_cache cache{{server.url("?prefix=cache:")}};
  auto row = commit(*store, put(create(*store), "abc")).written.row;
  CAF_CHECK(store->load_row("a") == row);
  server.kill();
  CAF_CHECK(away([&] { store->load_row("a"); }, 1s));
  CAF_CHECK(away([&] { commit(*store, put(row, "lost")); }, 1s));
  CAF_CHECK(away([&] { store->reopen(); }, 1s));
  cache.put(1, {});
  cache.forget(1);
  server.start();
  CAF_CHECK(store->load_row("a") == row); // readers come back by themselves
  CAF_CHECK_EQUAL(all(*store, row.id), "abc");
  CAF_CHECK_EQUAL(thrown([&] { commit(*store, put(row, "not reopened")); }), ec::unavailable);
  store->reopen();
  CAF_CHECK_EQUAL(commit(*store, put(row, "def")).code, ec::none);
  CAF_CHECK_EQUAL(all(*store, row.id), "abcdef");
  redis_chunk_store other{redis::store_options{server.url()}};
  CAF_CHECK(other.take_lease("b", 1min) == "a"); // the lease has survived as well
  server.tell({"SCRIPT", "FLUSH"});
  CAF_CHECK_EQUAL(commit(*store, claim_stream{"a"}).code, ec::none);
  CAF_CHECK_EQUAL(all(*store, row.id), "abcdef");
}

CAF_TEST(an id that the server has lost is not given to another stream) {
  redis_server server;
  auto store = open_owned(server.url());
  create(*store);
  auto lost = create(*store, "lost");
  server.tell({"HDEL", "segue:names", "lost"}); // as after a failover to a replica that was behind
  server.tell({"DEL", "segue:s:" + std::to_string(lost.id)});
  server.tell({"SET", "segue:last_id", std::to_string(lost.id - 1)});
  store->reopen();
  auto next = create(*store, "next");
  CAF_CHECK_GREATER(next.id, lost.id);
  CAF_CHECK_EQUAL(commit(*store, put(lost, "of the lost one")).code, ec::not_found);
  CAF_CHECK_EQUAL(all(*store, next.id), "");
}

CAF_TEST(at its memory limit a server takes nothing new and everything else) {
  redis_server server;
  auto store = open_owned(server.url());
  auto done = commit(*store, put(create(*store, "done"), "abc", true)).written.row;
  auto keep = create(*store, "keep");
  auto row = create(*store);
  for (int i = 0; i < 80; ++i)
    row = commit(*store, put(row, std::string(100'000, 'x'))).written.row;
  server.set("maxmemory", "6mb");
  auto refused = [&](const std::vector<stream_write>& writes) { return thrown([&] { store->commit(writes); }); };
  CAF_CHECK_EQUAL(refused({put(row, std::string(100'000, 'y'))}), ec::storage_full);
  CAF_CHECK_EQUAL(refused({put(row, "y"), put(keep, "y"), create_stream{{"new", "audio/mpeg"}, 7}}), ec::storage_full);
  CAF_CHECK(store->load_row("a") == row && store->load_row("keep") == keep && !store->load_row("new"));
  CAF_CHECK_EQUAL(all(*store, row.id), std::string(row.tail, 'x'));
  CAF_CHECK_EQUAL(all(*store, keep.id), "");
  // Another process, which has to load its scripts first.
  redis_chunk_store worker{redis::store_options{server.url(), 5s, 3, false}};
  CAF_CHECK_EQUAL(commit(worker, mark_archive{done.id, archive_state::none, archive_state::stored}).code, ec::none);
  CAF_CHECK_EQUAL(commit(worker, mark_archive{done.id, archive_state::stored, archive_state::evicted}).code, ec::none);
  CAF_CHECK_EQUAL(thrown([&] { commit(worker, restore_chunks{done.id, {{0, payload{std::string{"abc"}}, {}}}}); }),
      ec::storage_full);
  CAF_CHECK(!store->take_lease("a", 1min));
  keep = commit(*store, claim_stream{"keep"}).written.row;
  CAF_CHECK_EQUAL(keep.owner_epoch, 2u);
  CAF_CHECK_EQUAL(commit(*store, create_stream{{"keep", "audio/mpeg"}, 7}).written.created, false);
  store->reopen();
  // Together with appends, as when many write at once.
  auto outcomes = store->commit(std::vector<stream_write>{put(keep, "y"), delete_stream{"a"}, put(row, "y")});
  CAF_CHECK_EQUAL(outcomes[0].code, ec::storage_full);
  CAF_CHECK_EQUAL(outcomes[1].code, ec::none);
  CAF_CHECK_EQUAL(outcomes[2].code, ec::storage_full);
  CAF_CHECK(!store->load_row("a"));
  until_it_works([&] { commit(*store, put(keep, "y")); }); // memory is freed in the background
  CAF_CHECK_EQUAL(all(*store, keep.id), "y");
}
