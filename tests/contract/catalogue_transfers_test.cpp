// What every catalogue promises about transfers, see `adapters/ports.hpp`.
#define CAF_SUITE contract.catalogue_transfers

#include "tests/support/engines.hpp"

#include <mutex>
#include <set>
#include <thread>

#include "tests/support/test.hpp"

using namespace segue;

namespace {

transfer_row wish(const std::string& path, transfer_kind kind = transfer_kind::upload, int64_t due_at_ms = 100) {
  transfer_row x;
  x.path = path;
  x.kind = kind;
  x.due_at_ms = due_at_ms;
  x.created_at_ms = 50;
  x.changed_at_ms = 60;
  return x;
}

transfer_row leased(catalogue_store& store, int64_t now_ms, int64_t until_ms, const std::string& holder = "w") {
  auto rows = store.lease(holder, now_ms, until_ms, 1);
  CAF_REQUIRE_EQUAL(rows.size(), 1u);
  return rows.front();
}

std::string paths(const std::vector<transfer_row>& rows) {
  std::string out;
  for (const auto& x : rows)
    out += x.path + " ";
  return out;
}

/// Another engine object over the same rows, as another process has it.
std::shared_ptr<catalogue_store> another(const catalogue_engine& store) {
  return open_catalogue(store.url(), {store.folder(), 1 << 20, {}});
}

} // namespace

CAF_TEST(a transfer is found as it was inserted and as it was stored) {
  for_each_catalogue([](catalogue_engine& store) {
    CAF_CHECK(!store->find_transfer(1));
    auto x = wish("a", transfer_kind::download);
    x.attempts = 2;
    x.bytes_done = UINT64_MAX - 7;
    x.bytes_total = 5'000'000'000;
    x.error = "none; DROP TABLE transfers -- \"with\" 'quotes' äöü 🎵";
    auto there = store->insert(x);
    CAF_CHECK_GREATER(there.id, 0u);
    x.id = there.id;
    CAF_CHECK(there == x);
    CAF_CHECK(store->find_transfer(x.id) == x);
    x.kind = transfer_kind::evict;
    x.state = transfer_state::dead;
    x.error = "";
    x.changed_at_ms = 1'790'000'000'123;
    CAF_CHECK(store->store(x));
    CAF_CHECK(store->find_transfer(x.id) == x);
    store.restart();
    auto kept = store->find_transfer(x.id);
    CAF_CHECK(!store.durable() || kept == x);
  });
}

CAF_TEST(a wish begins to wait whatever it says about a lease) {
  for_each_catalogue([](catalogue_engine& store) {
    auto x = wish("a");
    x.state = transfer_state::running;
    x.holder = "somebody";
    x.lease = 7;
    x.leased_until_ms = 1'000;
    auto there = store->insert(x);
    CAF_CHECK_EQUAL(there.state, transfer_state::waiting);
    CAF_CHECK_EQUAL(there.holder, "");
    CAF_CHECK_EQUAL(there.leased_until_ms, 0);
  });
}

CAF_TEST(only a catalogue that others share has a clock of its own and it goes) {
  for_each_catalogue([](catalogue_engine& store) {
    auto now = [] {
      return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    };
    auto before = now();
    auto clock = store->clock_ms();
    CAF_CHECK_EQUAL(clock.has_value(), store.url().starts_with("postgresql"));
    CAF_CHECK(!clock || (*clock >= before - 1 && *clock <= now() + 1)); // the server is on this machine
    auto later = store->clock_ms();
    CAF_CHECK(!clock || *later >= *clock);
  });
}

CAF_TEST(what is inserted twice is there once) {
  for_each_catalogue([](catalogue_engine& store) {
    for (auto state : {transfer_state::waiting, transfer_state::dead}) {
      auto path = to_string(state);
      auto first = store->insert(wish(path));
      first.state = state;
      CAF_CHECK(store->store(first));
      CAF_CHECK(store->insert(wish(path, transfer_kind::upload, 500)) == first);
      CAF_CHECK(store->insert(wish(path, transfer_kind::download)) == first);
    }
    CAF_CHECK_EQUAL(store->transfers(0, 10, false).size(), 2u);
  });
}

CAF_TEST(what is inserted while it runs stays with its worker) {
  for_each_catalogue([](catalogue_engine& store) {
    store->insert(wish("a"));
    auto running = leased(*store, 100, 200);
    CAF_CHECK(store->insert(wish("a", transfer_kind::evict)) == running);
    CAF_CHECK(store->store(running));
  });
}

CAF_TEST(what is done makes room for the next with a new id) {
  for_each_catalogue([](catalogue_engine& store) {
    auto done = store->insert(wish("a"));
    done.state = transfer_state::done;
    CAF_CHECK(store->store(done));
    auto next = store->insert(wish("a", transfer_kind::download, 300));
    CAF_CHECK_GREATER(next.id, done.id);
    CAF_CHECK_GREATER(next.lease, done.lease);
    CAF_CHECK_EQUAL(next.state, transfer_state::waiting);
    CAF_CHECK_EQUAL(next.kind, transfer_kind::download);
    CAF_CHECK_EQUAL(next.due_at_ms, 300);
    CAF_CHECK(!store->find_transfer(done.id));
    CAF_CHECK(!store->store(done));
    CAF_CHECK_EQUAL(store->transfers(0, 10, false).size(), 1u);
  });
}

CAF_TEST(a removal takes the place of anything but a removal) {
  for_each_catalogue([](catalogue_engine& store) {
    for (auto state : {transfer_state::waiting, transfer_state::dead, transfer_state::done}) {
      auto path = to_string(state);
      auto old = store->insert(wish(path));
      old.state = state;
      old.leased_until_ms = 9'000; // of a lease that is over
      CAF_CHECK(store->store(old));
      auto removal = store->insert(wish(path, transfer_kind::remove, 150));
      CAF_CHECK_GREATER(removal.id, old.id);
      CAF_CHECK_EQUAL(removal.kind, transfer_kind::remove);
      CAF_CHECK_EQUAL(removal.due_at_ms, 150);
      CAF_CHECK(!store->find_transfer(old.id));
      CAF_CHECK(store->insert(wish(path, transfer_kind::remove, 160)) == removal);
      CAF_CHECK(store->insert(wish(path)) == removal);
    }
  });
}

CAF_TEST(a removal of what runs waits for the end of that lease and as long again) {
  for_each_catalogue([](catalogue_engine& store) {
    store->insert(wish("a"));
    auto running = leased(*store, 100, 200);
    auto removal = store->insert(wish("a", transfer_kind::remove, 110));
    CAF_CHECK_NOT_EQUAL(removal.id, running.id);
    CAF_CHECK_GREATER(removal.lease, running.lease);
    CAF_CHECK_EQUAL(removal.due_at_ms, 300);
    CAF_CHECK(!store->store(running)); // who had it notices
    CAF_CHECK(store->lease("w", 299, 400, 10).empty());
    auto begun = leased(*store, 300, 400);
    CAF_CHECK_EQUAL(begun.kind, transfer_kind::remove);
    // A removal that wants to wait longer does.
    store->insert(wish("b"));
    leased(*store, 200, 300);
    auto later = store->insert(wish("b", transfer_kind::remove, 900));
    CAF_CHECK_EQUAL(later.due_at_ms, 900);
    // Of a long lease a minute is enough, and clocks that differ change little.
    store->insert(wish("c"));
    leased(*store, 200, 1'000'200);
    auto minute = store->insert(wish("c", transfer_kind::remove, 900));
    CAF_CHECK_EQUAL(minute.due_at_ms, 1'060'200);
    store->insert(wish("d"));
    auto ahead = leased(*store, 200, 1'000);
    ahead.changed_at_ms = 70'000;
    CAF_CHECK(store->store(ahead));
    auto ended = store->insert(wish("d", transfer_kind::remove, 900));
    CAF_CHECK_EQUAL(ended.due_at_ms, 1'000);
  });
}

CAF_TEST(the oldest due are leased first and each only once) {
  for_each_catalogue([](catalogue_engine& store) {
    store->insert(wish("late", transfer_kind::upload, 300));
    store->insert(wish("second", transfer_kind::upload, 200));
    store->insert(wish("first", transfer_kind::evict, 100));
    store->insert(wish("third", transfer_kind::download, 200));
    CAF_CHECK(store->lease("w", 99, 1'000, 10).empty());
    CAF_CHECK(store->lease("w", 250, 1'000, 0).empty());
    CAF_CHECK_EQUAL(paths(store->lease("w", 250, 1'000, 2)), "first second ");
    CAF_CHECK_EQUAL(paths(store->lease("w", 250, 1'000, 2)), "third ");
    CAF_CHECK_EQUAL(paths(store->lease("w", 250, 1'000, 2)), "");
    CAF_CHECK_EQUAL(paths(store->lease("w", 300, 1'000, 2)), "late ");
  });
}

CAF_TEST(a leased row says who has it and until when) {
  for_each_catalogue([](catalogue_engine& store) {
    auto before = store->insert(wish("a"));
    auto row = leased(*store, 170, 1'000, "worker 1");
    CAF_CHECK_EQUAL(row.id, before.id);
    CAF_CHECK_EQUAL(row.state, transfer_state::running);
    CAF_CHECK_EQUAL(row.holder, "worker 1");
    CAF_CHECK_EQUAL(row.lease, before.lease + 1);
    CAF_CHECK_EQUAL(row.leased_until_ms, 1'000);
    CAF_CHECK_EQUAL(row.changed_at_ms, 170);
    CAF_CHECK(store->find_transfer(row.id) == row);
  });
}

CAF_TEST(an ended lease is taken over and its former holder stores nothing) {
  for_each_catalogue([](catalogue_engine& store) {
    store->insert(wish("a"));
    auto first = leased(*store, 100, 200, "one");
    CAF_CHECK(store->lease("two", 199, 400, 1).empty());
    first.leased_until_ms = 250; // prolonged by who has it
    CAF_CHECK(store->store(first));
    CAF_CHECK(store->lease("two", 249, 400, 1).empty());
    auto second = leased(*store, 250, 400, "two");
    CAF_CHECK_EQUAL(second.id, first.id);
    CAF_CHECK_GREATER(second.lease, first.lease);
    CAF_CHECK_EQUAL(second.attempts, first.attempts + 1); // nobody has heard how the first one went
    CAF_CHECK_EQUAL(second.error, "interrupted: the last lease ended with one");
    first.state = transfer_state::done;
    CAF_CHECK(!store->store(first));
    CAF_CHECK(store->find_transfer(first.id) == second);
    second.state = transfer_state::done;
    CAF_CHECK(store->store(second));
    CAF_CHECK(store->lease("three", 900, 1'000, 1).empty());
  });
}

CAF_TEST(a lost lease is the first attempt that counts when somebody was away before) {
  for_each_catalogue([](catalogue_engine& store) {
    store->insert(wish("a"));
    for (auto [error, counted] : {std::pair{"unavailable: nobody there", 1u}, {"timeout", 1u}, {"storage_full: no room", 1u},
             {"busy", 1u}, {"corrupt: other bytes", 8u}, {"", 8u}, {"unavailable as well", 8u}}) {
      CAF_MESSAGE(error);
      auto row = *store->find_transfer(1);
      row.attempts = 7;
      row.error = error;
      row.state = transfer_state::running;
      row.leased_until_ms = 200;
      CAF_REQUIRE(store->store(row));
      auto next = leased(*store, 300, 400);
      CAF_CHECK_EQUAL(next.attempts, counted);
      CAF_CHECK(next.error.starts_with("interrupted"));
    }
  });
}

CAF_TEST(dead and done rows are never leased) {
  for_each_catalogue([](catalogue_engine& store) {
    for (auto state : {transfer_state::dead, transfer_state::done}) {
      auto x = store->insert(wish(to_string(state)));
      x.state = state;
      CAF_CHECK(store->store(x));
    }
    CAF_CHECK(store->lease("w", 1'000, 2'000, 10).empty());
  });
}

CAF_TEST(two engines and many threads never lease the same row) {
  for_each_catalogue([](catalogue_engine& store) {
    constexpr size_t count = 120;
    std::vector<std::shared_ptr<catalogue_store>> engines{store.get(), store.durable() ? another(store) : store.get()};
    for (size_t i = 0; i < count; ++i)
      store->insert(wish("p" + std::to_string(i), transfer_kind::upload, static_cast<int64_t>(i)));
    std::mutex mutex;
    std::multiset<uint64_t> taken;
    size_t errors = 0;
    auto work = [&](catalogue_store& engine, const std::string& holder) {
      try {
        for (;;) {
          auto rows = engine.lease(holder, 1'000, 2'000, 3);
          std::lock_guard lock{mutex};
          if (rows.empty() && taken.size() >= count)
            return; // rows that another one is leasing at the moment may be passed over: ask again until all are taken
          for (const auto& x : rows)
            taken.insert(x.id);
        }
      } catch (const std::exception&) {
        std::lock_guard lock{mutex};
        ++errors;
      }
    };
    std::vector<std::thread> threads;
    for (size_t i = 0; i < 4; ++i)
      threads.emplace_back(work, std::ref(*engines[i % 2]), "worker " + std::to_string(i));
    for (auto& x : threads)
      x.join();
    CAF_CHECK_EQUAL(errors, 0u);
    CAF_CHECK_EQUAL(taken.size(), count);
    CAF_CHECK_EQUAL(std::set<uint64_t>(taken.begin(), taken.end()).size(), count);
    engines.clear();
  });
}

CAF_TEST(of many who insert the same path at once all get the same row) {
  for_each_catalogue([](catalogue_engine& store) {
    auto other = store.durable() ? another(store) : store.get();
    std::mutex mutex;
    std::set<uint64_t> ids;
    std::vector<std::thread> threads;
    for (int i = 0; i < 6; ++i)
      threads.emplace_back([&, i] {
        uint64_t id = 0; // an error
        try {
          id = (i % 2 == 0 ? *store : *other).insert(wish("a")).id;
        } catch (const std::exception&) {
        }
        std::lock_guard lock{mutex};
        ids.insert(id);
      });
    for (auto& x : threads)
      x.join();
    CAF_CHECK_EQUAL(ids.size(), 1u);
    CAF_CHECK_EQUAL(ids.count(0), 0u);
    CAF_CHECK_EQUAL(store->transfers(0, 10, false).size(), 1u);
  });
}
