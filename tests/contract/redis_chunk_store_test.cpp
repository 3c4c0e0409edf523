// What only the engine on Redis does: owners and their leases, other processes, keys, large pieces.
#define CAF_SUITE contract.redis_chunk_store

#include "adapters/redis/redis_chunk_store.hpp"

#include <thread>

#include "tests/support/redis_server.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;
using redis::redis_chunk_store;

namespace {

std::shared_ptr<redis_chunk_store> open(const std::string& url, bool owner = true) {
  return std::make_shared<redis_chunk_store>(redis::store_options{url, 5s, 3, owner});
}

/// An owner with a long lease.
std::shared_ptr<redis_chunk_store> open_owned(const std::string& url, const std::string& holder = "a") {
  auto store = open(url);
  CAF_REQUIRE(!store->take_lease(holder, 1min));
  return store;
}

write_outcome commit(chunk_store& store, stream_write write) {
  auto outcomes = store.commit({&write, 1});
  CAF_REQUIRE_EQUAL(outcomes.size(), 1u);
  return std::move(outcomes.front());
}

/// What it throws.
template <class F>
ec thrown(F f) {
  try {
    f();
    return ec::none;
  } catch (const adapter_error& e) {
    return e.code();
  }
}

ec commit_error(chunk_store& store, const stream_write& write) {
  return thrown([&] { commit(store, write); });
}

stream_row create(chunk_store& store, const std::string& path = "a", int64_t ttl_s = -1) {
  return commit(store, create_stream{{path, "audio/mpeg", ttl_s}, 7}).written.row;
}

put_chunks put(const stream_row& row, const std::vector<std::string>& texts, bool close = false) {
  put_chunks x{row.id, row.owner_epoch, row.tail, {}, {}, {}, close, {}};
  auto at = row.tail;
  for (const auto& text : texts) {
    x.chunks.push_back({at, payload{text}, {}});
    at += text.size();
  }
  return x;
}

std::string all(chunk_store& store, stream_id id) {
  std::string bytes;
  for (const auto& x : store.load_chunks(id, 0, UINT64_MAX))
    bytes += x.bytes.view();
  return bytes;
}

} // namespace

CAF_TEST(nobody commits without the lease) {
  auto url = redis_url();
  auto a = open(url);
  CAF_CHECK_EQUAL(commit_error(*a, create_stream{{"a", "audio/mpeg"}, 7}), ec::fenced);
  CAF_CHECK_EQUAL(thrown([&] { a->reopen(); }), ec::fenced);
  CAF_CHECK(!a->take_lease("a", 1min));
  a->reopen();
  create(*a);
  auto b = open(url);
  CAF_CHECK(b->take_lease("b", 1min) == "a");
  CAF_CHECK_EQUAL(commit_error(*b, create_stream{{"b", "audio/mpeg"}, 7}), ec::fenced);
  CAF_CHECK(b->load_row("a") && !b->load_row("b")); // reading is for everybody
  CAF_CHECK(!a->take_lease("a", 1min));
  create(*a, "c");
}

CAF_TEST(a lease that has run out goes to who asks next and fences the former owner) {
  auto url = redis_url();
  auto a = open(url);
  CAF_CHECK(!a->take_lease("a", 40ms));
  auto row = create(*a);
  std::this_thread::sleep_for(80ms);
  row = commit(*a, put(row, {"abc"})).written.row; // nobody else has asked: it harms nobody
  auto b = open_owned(url, "b");
  CAF_CHECK_EQUAL(commit_error(*a, put(row, {"late"})), ec::fenced);
  CAF_CHECK_EQUAL(commit_error(*a, delete_stream{"a"}), ec::fenced);
  CAF_CHECK_EQUAL(commit_error(*a, claim_stream{"nobody"}), ec::fenced); // also what changes nothing
  CAF_CHECK_EQUAL(thrown([&] { a->reopen(); }), ec::fenced);
  CAF_CHECK(a->take_lease("a", 1min) == "b");
  auto claimed = commit(*b, claim_stream{"a"}).written.row;
  CAF_CHECK_EQUAL(commit(*b, put(claimed, {"def"})).code, ec::none);
  CAF_CHECK_EQUAL(all(*a, row.id), "abcdef");
  b->release_lease("somebody");
  CAF_CHECK(a->take_lease("a", 1min) == "b");
  b->release_lease("b");
  CAF_CHECK_EQUAL(commit_error(*b, delete_stream{"a"}), ec::fenced);
  CAF_CHECK(!a->take_lease("a", 1min));
  a->reopen();
  CAF_CHECK_EQUAL(commit(*a, put(claimed, {"stale"})).code, ec::fenced); // that is the tail, not the owner
  CAF_CHECK_EQUAL(commit(*a, claim_stream{"a"}).written.row.tail, 6u);
}

CAF_TEST(a lease that somebody else had meanwhile is lost and then a new one) {
  auto url = redis_url();
  auto a = open(url);
  CAF_CHECK(!a->take_lease("a", 40ms));
  auto row = create(*a);
  std::this_thread::sleep_for(80ms);
  auto b = open_owned(url, "b");
  auto other = create(*b, "b");
  commit(*b, delete_stream{"a"});
  b->release_lease("b");
  CAF_CHECK_EQUAL(commit_error(*a, put(row, {"late"})), ec::fenced); // it has not asked again
  CAF_CHECK_EQUAL(thrown([&] { a->reopen(); }), ec::fenced);         // nor does it come back this way
  CAF_CHECK(a->take_lease("a", 1min) == "b");                        // whoever prolongs it has to know
  CAF_CHECK(!a->take_lease("a", 1min));
  a->reopen();
  CAF_CHECK_EQUAL(commit(*a, put(row, {"late"})).code, ec::not_found);
  CAF_CHECK_EQUAL(create(*a, "b").id, other.id);
  CAF_CHECK_EQUAL(create(*a, "c").id, other.id + 1);
}

CAF_TEST(a lease that ran out and that nobody else had is prolonged) {
  auto url = redis_url();
  auto a = open(url);
  CAF_CHECK(!a->take_lease("a", 40ms));
  auto row = create(*a);
  std::this_thread::sleep_for(80ms);
  CAF_CHECK(!a->take_lease("a", 1min));
  CAF_CHECK_EQUAL(commit(*a, put(row, {"abc"})).code, ec::none);
  a->reopen();
  CAF_CHECK(!a->take_lease("a", 1min));
}

CAF_TEST(the same holder in another process fences the former one) {
  auto url = redis_url();
  auto before = open_owned(url);
  auto row = create(*before);
  auto after = open_owned(url);
  CAF_CHECK_EQUAL(commit_error(*before, put(row, {"late"})), ec::fenced);
  CAF_CHECK_EQUAL(commit(*after, put(row, {"abc"})).code, ec::none);
}

CAF_TEST(a worker marks and restores and nothing else) {
  auto url = redis_url();
  auto owner = open_owned(url);
  auto worker = open(url, false);
  auto row = commit(*owner, put(create(*owner), {"abc", "def"}, true)).written.row;
  auto records = worker->load_chunks(row.id, 0, UINT64_MAX);
  CAF_CHECK_EQUAL(thrown([&] { worker->take_lease("worker", 1min); }), ec::fenced);
  CAF_CHECK_EQUAL(commit_error(*worker, create_stream{{"b", "audio/mpeg"}, 7}), ec::fenced);
  CAF_CHECK_EQUAL(commit_error(*worker, claim_stream{"a"}), ec::fenced);
  CAF_CHECK_EQUAL(commit_error(*worker, put(row, {"x"})), ec::fenced);
  CAF_CHECK_EQUAL(commit_error(*worker, delete_stream{"a"}), ec::fenced);
  auto mark = [&](archive_state from, archive_state to) { return commit(*worker, mark_archive{row.id, from, to}).code; };
  CAF_CHECK_EQUAL(mark(archive_state::none, archive_state::stored), ec::none);
  // The owner knows the row as it was, and says and keeps what it is now.
  auto seen = commit(*owner, create_stream{{"a", "audio/mpeg"}, 9}).written.row;
  CAF_CHECK(seen.archive == archive_state::stored);
  CAF_CHECK_EQUAL(mark(archive_state::stored, archive_state::evicted), ec::none);
  auto claimed = commit(*owner, claim_stream{"a"}).written.row;
  CAF_CHECK(claimed.archive == archive_state::evicted && claimed.owner_epoch == 2);
  CAF_CHECK_EQUAL(commit(*worker, restore_chunks{row.id, records}).code, ec::none); // it knows the row before the claim
  CAF_CHECK_EQUAL(mark(archive_state::evicted, archive_state::stored), ec::none);
  auto now = owner->load_row("a").value_or(stream_row{});
  CAF_CHECK(now.archive == archive_state::stored && now.owner_epoch == 2);
  CAF_CHECK_EQUAL(all(*owner, row.id), "abcdef");
  commit(*owner, delete_stream{"a"});
  CAF_CHECK_EQUAL(mark(archive_state::stored, archive_state::evicted), ec::not_found);
  worker->reopen();
  CAF_CHECK_EQUAL(mark(archive_state::stored, archive_state::evicted), ec::not_found);
}

CAF_TEST(owner and workers may change the same rows all the time) {
  auto url = redis_url();
  auto owner = open_owned(url);
  auto row = commit(*owner, put(create(*owner), {"abc"}, true)).written.row;
  std::atomic<int> failed{0};
  std::vector<std::thread> workers;
  for (int i = 0; i < 2; ++i)
    workers.emplace_back([&] {
      auto worker = open(url, false);
      auto records = std::vector<chunk>{{0, payload{std::string{"abc"}}, {}}};
      using enum archive_state;
      for (int round = 0; round < 40; ++round)
        for (stream_write write : std::vector<stream_write>{mark_archive{row.id, none, stored},
                 mark_archive{row.id, stored, evicted}, restore_chunks{row.id, records},
                 mark_archive{row.id, evicted, stored}}) {
          failed += thrown([&] { worker->commit({&write, 1}); }) == ec::none ? 0 : 1;
          std::this_thread::sleep_for(1ms); // much more often than they ever do
        }
    });
  uint64_t claims = 1;
  for (int round = 0; round < 150; ++round)
    claims += commit_error(*owner, claim_stream{"a"}) == ec::none ? 1 : 0;
  for (auto& x : workers)
    x.join();
  CAF_CHECK_EQUAL(failed.load(), 0);
  CAF_CHECK_EQUAL(claims, 151u);
  CAF_CHECK_EQUAL(owner->load_row("a").value_or(stream_row{}).owner_epoch, claims);
}

CAF_TEST(a piece that comes too late leaves no gap in what is restored) {
  auto url = redis_url();
  auto owner = open_owned(url);
  auto worker = open(url, false);
  auto row = commit(*owner, put(create(*owner), {"abc", "def", "ghi"}, true)).written.row;
  auto records = worker->load_chunks(row.id, 0, UINT64_MAX);
  commit(*owner, mark_archive{row.id, archive_state::none, archive_state::stored});
  commit(*owner, mark_archive{row.id, archive_state::stored, archive_state::evicted});
  auto restore = [&](size_t i) { return commit(*worker, restore_chunks{row.id, {records[i]}}).code; };
  CAF_CHECK_EQUAL(restore(2), ec::conflict);
  CAF_CHECK_EQUAL(all(*owner, row.id), "");
  CAF_CHECK_EQUAL(restore(0), ec::none);
  CAF_CHECK_EQUAL(restore(2), ec::conflict);
  CAF_CHECK_EQUAL(restore(1), ec::none);
  CAF_CHECK_EQUAL(restore(0), ec::none);
  auto mark_stored = [&] {
    return commit(*worker, mark_archive{row.id, archive_state::evicted, archive_state::stored}).code;
  };
  CAF_CHECK_EQUAL(mark_stored(), ec::conflict); // as of a worker that has slept while another one evicted it again
  CAF_CHECK_EQUAL(restore(2), ec::none);
  CAF_CHECK_EQUAL(mark_stored(), ec::none);
  CAF_CHECK_EQUAL(all(*owner, row.id), "abcdefghi");
}

CAF_TEST(what is deleted leaves nothing behind) {
  redis_server server;
  auto store = open_owned(server.url("?prefix=x:"));
  auto row = create(*store, "a", 60);
  auto write = put(row, {"abc"});
  write.producers = {{"p", 1, 2}};
  commit(*store, write);
  stream_wish fork{"fork", "audio/mpeg"};
  fork.forked_from = "a";
  commit(*store, create_stream{fork, 7});
  commit(*store, delete_stream{"a"}); // kept for its fork
  CAF_CHECK_GREATER(server.tell({"KEYS", "x:*"}).size(), 6u);
  commit(*store, delete_stream{"fork"});
  auto left = server.tell({"KEYS", "*"});
  std::set<std::string> keys;
  for (size_t i = 0; i < left.size(); ++i)
    keys.emplace(left[i].text());
  CAF_CHECK(keys == std::set<std::string>({"x:count", "x:epoch", "x:last_id", "x:lease", "x:taker"}));
  CAF_CHECK(server.tell({"GET", "x:count"}).text() == "0");
  store->release_lease("a");
  CAF_CHECK(server.tell({"GET", "x:lease"}).is_nil());
}

CAF_TEST(streams of applications are counted over restarts) {
  auto url = redis_url();
  auto create_at_most = [](chunk_store& store, const std::string& path, uint64_t most) {
    return commit(store, create_stream{{path, "audio/mpeg"}, 7, most}).code;
  };
  auto store = open_owned(url);
  CAF_CHECK_EQUAL(create_at_most(*store, "a", 2), ec::none);
  CAF_CHECK_EQUAL(create_at_most(*store, "b", 2), ec::none);
  CAF_CHECK_EQUAL(create_at_most(*store, "c", 2), ec::busy);
  store = open_owned(url);
  CAF_CHECK_EQUAL(create_at_most(*store, "c", 2), ec::busy);
  commit(*store, delete_stream{"a"});
  CAF_CHECK_EQUAL(create_at_most(*store, "c", 2), ec::none);
}

CAF_TEST(large commits are atomic and large streams come in bounded pieces) {
  auto store = open_owned(redis_url());
  auto row = create(*store);
  std::string expected;
  for (int round = 0; round < 2; ++round) {
    std::vector<std::string> texts;
    for (int i = 0; i < 48; ++i)
      expected += texts.emplace_back(128 << 10, static_cast<char>('a' + i % 26 + round));
    row = commit(*store, put(row, texts)).written.row;
  }
  CAF_CHECK_EQUAL(row.tail, 12u << 20);
  CAF_CHECK(all(*store, row.id) == expected);
  CAF_CHECK_EQUAL(store->load_chunks(row.id, 5'000'000, 1 << 20).size(), 8u);
  std::string read;
  while (read.size() < row.tail)
    for (const auto& x : store->load_chunks(row.id, read.size(), 300'000))
      read += x.bytes.view();
  CAF_CHECK(read == expected);
}
