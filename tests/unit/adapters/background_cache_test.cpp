#define CAF_SUITE adapters.background_cache

#include "adapters/background_cache.hpp"

#include "adapters/memory/memory_chunk_cache.hpp"

#include <future>

#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 20s;

/// A cache far away: it does what it is told once it may, and keeps what that was.
class distant_cache final : public chunk_cache {
public:
  explicit distant_cache(bool hangs = false) : hangs_(hangs) {}

  void put(stream_id id, std::span<const chunk> records) override {
    for (const auto& x : records)
      told("put " + std::to_string(id) + " " + std::to_string(x.start) + " " + std::string{x.bytes.view().substr(0, 5)});
  }

  void forget(stream_id id) override { told("forget " + std::to_string(id)); }

  std::vector<chunk> get(stream_id id, position after, uint64_t limit) override {
    return {{after, payload{std::to_string(id) + " " + std::to_string(limit)}, {}}};
  }

  void answer() {
    std::lock_guard lock{mutex_};
    hangs_ = false;
    changed_.notify_all();
  }

  /// Waits until somebody has begun to tell it something.
  bool asked() { return wait([this] { return asked_ > 0; }); }

  /// Waits until it has been told this.
  bool knows(const std::string& what) { return wait([&] { return std::count(told_.begin(), told_.end(), what) > 0; }); }

  std::vector<std::string> all() {
    std::lock_guard lock{mutex_};
    return told_;
  }

private:
  void told(std::string what) {
    std::unique_lock lock{mutex_};
    ++asked_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !hangs_; });
    told_.push_back(std::move(what));
    changed_.notify_all();
  }

  template <class Predicate>
  bool wait(Predicate done) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, patience, done);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool hangs_;
  size_t asked_ = 0;
  std::vector<std::string> told_;
};

/// A background cache before one that may hang; that one answers again before they end.
struct world {
  explicit world(bool hangs = false) : engine(std::make_shared<distant_cache>(hangs)), cache(std::make_unique<background_cache>(engine)) {}

  ~world() {
    engine->answer();
    cache.reset();
  }

  void put(stream_id id, position at, std::string bytes) {
    const std::vector<chunk> records{{at, payload{std::move(bytes)}, {}}};
    cache->put(id, records);
  }

  /// Lets the engine answer, and waits until it was told everything that waits.
  std::vector<std::string> everything() {
    engine->answer();
    cache->forget(++mark); // is never dropped, and comes last
    CAF_CHECK(engine->knows("forget " + std::to_string(mark)));
    auto told = engine->all();
    told.pop_back();
    return told;
  }

  std::shared_ptr<distant_cache> engine;
  std::unique_ptr<background_cache> cache;
  stream_id mark = 1'000'000;
};

/// Whether `f` returns although something hangs. If not, the test fails and goes on once `mend` has been called.
template <class F, class Mend>
bool returns(F f, Mend mend) {
  auto done = std::async(std::launch::async, f);
  bool in_time = done.wait_for(patience) == std::future_status::ready;
  if (!in_time)
    mend();
  done.get();
  return in_time;
}

} // namespace

CAF_TEST(what is put can soon be got) {
  background_cache cache{std::make_shared<memory::memory_chunk_cache>(1 << 20)};
  const std::vector<chunk> records{{0, payload{"abc"}, {}}, {3, payload{"de"}, {}}};
  cache.put(7, records);
  std::vector<chunk> found;
  for (auto begun = std::chrono::steady_clock::now(); found.empty() && std::chrono::steady_clock::now() - begun < patience;)
    found = cache.get(7, 0, 100);
  CAF_REQUIRE_EQUAL(found.size(), 2u);
  CAF_CHECK(found[0].bytes == records[0].bytes && found[1].bytes == records[1].bytes);
}

CAF_TEST(the engine is told everything in order) {
  world x;
  std::vector<std::string> expected;
  for (uint64_t i = 0; i < 500; ++i) {
    x.put(i % 3, i, "b" + std::to_string(i));
    expected.push_back("put " + std::to_string(i % 3) + " " + std::to_string(i) + " b" + std::to_string(i));
    if (i % 7 == 0) {
      x.cache->forget(i % 3);
      expected.push_back("forget " + std::to_string(i % 3));
    }
  }
  CAF_CHECK(x.everything() == expected);
}

CAF_TEST(nobody waits while the engine hangs) {
  world x{true};
  auto mend = [&] { x.engine->answer(); };
  x.put(1, 0, "first");
  CAF_REQUIRE(x.engine->asked());
  CAF_CHECK(returns([&] {
    for (uint64_t i = 1; i < 100'000; ++i)
      x.put(1, i, "b");
  }, mend));
  CAF_CHECK(returns([&] { x.cache->forget(1); }, mend));
  std::vector<chunk> found;
  CAF_CHECK(returns([&] { found = x.cache->get(5, 3, 9); }, mend));
  CAF_CHECK(found.size() == 1 && found[0].bytes == payload{"5 9"});
  CAF_CHECK_EQUAL(x.engine->all().size(), 0u);
}

CAF_TEST(no more than 16 MiB wait for the engine) {
  world x{true};
  x.put(1, 0, "first");
  CAF_REQUIRE(x.engine->asked());
  for (uint64_t i = 1; i <= 40; ++i)
    x.put(1, i, std::string(1 << 20, 'b'));
  auto told = x.everything();
  CAF_REQUIRE_EQUAL(told.size(), 17u);
  for (uint64_t i = 1; i < told.size(); ++i) // the oldest ones
    CAF_CHECK_EQUAL(told[i], "put 1 " + std::to_string(i) + " bbbbb");
}

CAF_TEST(what is too large for all the room is dropped and the next one is not) {
  world x{true};
  x.put(1, 0, "first");
  CAF_REQUIRE(x.engine->asked());
  x.put(1, 1, std::string((16 << 20) + 1, 'b'));
  x.put(1, 2, std::string(16 << 20, 'c'));
  auto told = x.everything();
  CAF_CHECK_EQUAL(told, (std::vector<std::string>{"put 1 0 first", "put 1 2 ccccc"}));
}

CAF_TEST(no more than ten thousand tasks wait however small they are) {
  world x{true};
  x.put(1, 0, "first");
  CAF_REQUIRE(x.engine->asked());
  for (uint64_t i = 1; i <= 30'000; ++i)
    x.put(1, i, "b");
  CAF_CHECK_EQUAL(x.everything().size(), 10'001u);
}

CAF_TEST(an engine that is back is told what comes then) {
  world x{true};
  for (uint64_t i = 0; i < 40; ++i)
    x.put(1, i, std::string(1 << 20, 'b'));
  x.everything();
  x.put(2, 0, "later");
  auto told = x.everything();
  CAF_CHECK_EQUAL(told.back(), "put 2 0 later");
}

CAF_TEST(a stream is forgotten even when nothing else has room) {
  world x{true};
  for (uint64_t i = 0; i < 20'000; ++i)
    x.put(1, i, "b");
  x.cache->forget(1);
  x.put(1, 20'000, "dropped");
  CAF_CHECK_EQUAL(x.everything().back(), "forget 1");
}

CAF_TEST(putting nothing is not forgetting) {
  world x;
  x.put(1, 0, "first");
  x.cache->put(1, {});
  CAF_CHECK_EQUAL(x.everything(), (std::vector<std::string>{"put 1 0 first"}));
}

CAF_TEST(at the end nobody uses the engine any more) {
  auto engine = std::make_shared<distant_cache>(true);
  auto cache = std::make_unique<background_cache>(engine);
  const std::vector<chunk> records{{0, payload{"abc"}, {}}};
  for (stream_id id = 1; id <= 1'000; ++id)
    cache->put(id, records);
  CAF_REQUIRE(engine->asked());
  auto ended = std::async(std::launch::async, [&] { cache.reset(); });
  engine->answer();
  CAF_CHECK(ended.wait_for(patience) == std::future_status::ready);
  CAF_CHECK_EQUAL(engine.use_count(), 1);
  auto told = engine->all(); // all of it, or what had its turn
  CAF_REQUIRE(!told.empty());
  CAF_CHECK_EQUAL(told.back(), "put " + std::to_string(told.size()) + " 0 abc");
}
