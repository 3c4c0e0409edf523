// What every catalogue promises, see `adapters/ports.hpp`.
#define CAF_SUITE contract.catalogue

#include "adapters/sqlite/sqlite_catalogue.hpp"

#include "tests/support/engines.hpp"

#include <mutex>
#include <thread>

#include "tests/support/test.hpp"

using namespace segue;

namespace {

generation_row row(
    const std::string& id, generation_state state = generation_state::queued, const std::string& user = "u") {
  generation_row x;
  x.request_id = id;
  x.user_id = user;
  x.prompt = "a \"slow\" waltz; DROP TABLE generations -- äöü 🎵";
  x.duration_s = 61.25;
  x.seed = UINT64_MAX - 3;
  x.realtime = true;
  x.generator = "synth";
  x.generator_version = "1 2";
  x.producer = "somebody";
  x.state = state;
  x.reason = "none";
  x.attempt = 3;
  x.created_at_ms = 1'790'000'000'123;
  x.started_at_ms = 2;
  x.ended_at_ms = 3;
  x.audio_bytes = 5'000'000'000;
  x.expected_bytes = 6'000'000'000;
  return x;
}

generation_row insert(catalogue_store& store, generation_row x) {
  x.accepted = store.insert(x);
  return x;
}

std::string ids(const std::vector<generation_row>& rows) {
  std::string out;
  for (const auto& x : rows)
    out += x.request_id + " ";
  return out;
}

template <class F>
ec code_thrown(F f) {
  try {
    f();
  } catch (const adapter_error& e) {
    return e.code();
  }
  return ec::none;
}

} // namespace

CAF_TEST(a row is found as it was inserted and as it was stored) {
  for_each_catalogue([](catalogue_engine& store) {
    CAF_CHECK(!store->find("a"));
    auto x = insert(*store, row("a"));
    CAF_CHECK_GREATER(x.accepted, 0u);
    CAF_CHECK(store->find("a") == x);
    x.state = generation_state::failed;
    x.decided = generation_state::failed;
    x.reason = "why";
    x.audio_bytes = 1;
    x.attempt = 4;
    CAF_CHECK(store->store(x));
    CAF_CHECK(store->find("a") == x);
  });
}

CAF_TEST(storing what is not there says so and adds nothing) {
  for_each_catalogue([](catalogue_engine& store) {
    CAF_CHECK(!store->store(row("a")));
    CAF_CHECK(!store->find("a"));
  });
}

CAF_TEST(a taken id is a conflict and leaves the first row alone) {
  for_each_catalogue([](catalogue_engine& store) {
    auto first = insert(*store, row("a"));
    auto second = row("a", generation_state::running, "another");
    CAF_CHECK_EQUAL(code_thrown([&] { store->insert(second); }), ec::conflict);
    CAF_CHECK(store->find("a") == first);
  });
}

CAF_TEST(an erased row is gone and its place in the order is not used again) {
  for_each_catalogue([](catalogue_engine& store) {
    auto first = insert(*store, row("a"));
    store->erase("a");
    store->erase("a");
    store->erase("never there");
    CAF_CHECK(!store->find("a"));
    CAF_CHECK_EQUAL(ids(store->newest("", UINT64_MAX, 10)), "");
    CAF_CHECK_EQUAL(ids(store->unfinished(0, 10)), "");
    store.restart();
    auto second = insert(*store, row("a"));
    CAF_CHECK_GREATER(second.accepted, first.accepted);
  });
}

CAF_TEST(the newest come first and page by page) {
  for_each_catalogue([](catalogue_engine& store) {
    std::vector<uint64_t> accepted;
    for (const auto* id : {"a", "b", "c", "d", "e"})
      accepted.push_back(insert(*store, row(id, generation_state::completed, *id == 'c' ? "other" : "u")).accepted);
    CAF_CHECK(std::is_sorted(accepted.begin(), accepted.end()));
    CAF_CHECK_EQUAL(ids(store->newest("", UINT64_MAX, 10)), "e d c b a ");
    CAF_CHECK_EQUAL(ids(store->newest("", UINT64_MAX, 2)), "e d ");
    CAF_CHECK_EQUAL(ids(store->newest("", accepted[3], 2)), "c b ");
    CAF_CHECK_EQUAL(ids(store->newest("", accepted[1], 2)), "a ");
    CAF_CHECK_EQUAL(ids(store->newest("", accepted[0], 2)), "");
    CAF_CHECK_EQUAL(ids(store->newest("u", UINT64_MAX, 3)), "e d b ");
    CAF_CHECK_EQUAL(ids(store->newest("u", accepted[1], 3)), "a ");
    CAF_CHECK_EQUAL(ids(store->newest("other", UINT64_MAX, 10)), "c ");
    CAF_CHECK_EQUAL(ids(store->newest("nobody", UINT64_MAX, 10)), "");
  });
}

CAF_TEST(the unfinished come in accepted order) {
  for_each_catalogue([](catalogue_engine& store) {
    auto first = insert(*store, row("queued"));
    insert(*store, row("completed", generation_state::completed));
    auto third = insert(*store, row("running", generation_state::running, "other"));
    insert(*store, row("failed", generation_state::failed));
    insert(*store, row("cancelled", generation_state::cancelled));
    insert(*store, row("purging", generation_state::purging));
    CAF_CHECK_EQUAL(ids(store->unfinished(0, 10)), "queued running purging ");
    CAF_CHECK_EQUAL(ids(store->unfinished(0, 2)), "queued running ");
    CAF_CHECK_EQUAL(ids(store->unfinished(first.accepted, 1)), "running ");
    third.state = generation_state::completed;
    store->store(third);
    CAF_CHECK_EQUAL(ids(store->unfinished(first.accepted, 10)), "purging ");
  });
}

CAF_TEST(what is being purged is hidden from lists) {
  for_each_catalogue([](catalogue_engine& store) {
    insert(*store, row("a", generation_state::completed));
    auto x = insert(*store, row("b", generation_state::completed));
    x.state = generation_state::purging;
    store->store(x);
    CAF_CHECK_EQUAL(ids(store->newest("", UINT64_MAX, 10)), "a ");
    CAF_CHECK_EQUAL(ids(store->newest("u", UINT64_MAX, 10)), "a ");
    CAF_CHECK_EQUAL(ids(store->unfinished(0, 10)), "b ");
  });
}

CAF_TEST(every state and a row without values is kept) {
  for_each_catalogue([](catalogue_engine& store) {
    generation_row bare;
    bare.request_id = "bare";
    CAF_CHECK(store->find("bare") == std::nullopt);
    CAF_CHECK(store->find(insert(*store, bare).request_id)->prompt.empty());
    for (auto state : {generation_state::queued, generation_state::running, generation_state::completed,
             generation_state::failed, generation_state::cancelled, generation_state::purging}) {
      auto x = row(to_string(state), state);
      x.decided = state == generation_state::purging ? generation_state::queued : state;
      x = insert(*store, x);
      CAF_CHECK(store->find(x.request_id) == x);
    }
  });
}

CAF_TEST(text that is no UTF-8 is kept as far as it is) {
  for_each_catalogue([](catalogue_engine& store) {
    auto x = row("a");
    x.reason = "audio/m\xf6p";
    x = insert(*store, x);
    auto found = store->find("a");
    CAF_REQUIRE(found);
    CAF_CHECK_EQUAL(found->reason, "audio/m\xef\xbf\xbdp");
    x.reason = std::string(300, 'x') + "\xc3";
    CAF_CHECK(store->store(x));
    auto changed = store->find("a");
    CAF_REQUIRE(changed);
    CAF_CHECK_EQUAL(changed->reason, std::string(300, 'x') + "\xef\xbf\xbd");
  });
}

CAF_TEST(rows survive a restart) {
  for_each_catalogue([](catalogue_engine& store) {
    auto x = insert(*store, row("a"));
    auto y = insert(*store, row("b", generation_state::running));
    y.reason = "changed";
    store->store(y);
    store.restart();
    CAF_CHECK(store->find("a") == x);
    CAF_CHECK(store->find("b") == y);
    CAF_CHECK_EQUAL(ids(store->unfinished(0, 10)), "a b ");
  });
}

CAF_TEST(a catalogue of a newer version is refused) {
  catalogue_engine store{"sqlite:"};
  auto file = (store.folder() / "catalogue.sqlite").string();
  auto version = [&](const char* change) { sqlite::database{file}.run(change); };
  store.close();
  version("PRAGMA user_version = 1000");
  CAF_CHECK_EQUAL(code_thrown([&] { store.open(); }), ec::conflict);
}

CAF_TEST(a catalogue of an older version is brought up to date) {
  catalogue_engine store{"sqlite:"};
  auto x = insert(*store, row("a"));
  auto file = (store.folder() / "catalogue.sqlite").string();
  store.close();
  sqlite::database{file}.run("DROP TABLE api_keys; DROP TABLE transfers; ALTER TABLE generations DROP COLUMN producer;"
                             "PRAGMA user_version = 1");
  store.open();
  x.producer = "";
  CAF_CHECK(store->find("a") == x);
  CAF_CHECK(store->keys().empty());
  CAF_CHECK(store->transfers(0, 10, false).empty());
}

CAF_TEST(whoever does not own a catalogue neither makes it nor changes its version) {
  temporary_folder folder;
  auto file = (folder.path() / "catalogue.sqlite").string();
  CAF_CHECK_EQUAL(code_thrown([&] { sqlite::sqlite_catalogue{file, 1, false}; }), ec::conflict);
  CAF_CHECK(!std::filesystem::exists(file));
  { sqlite::sqlite_catalogue made{file}; }
  { sqlite::sqlite_catalogue used{file, 1, false}; }
  sqlite::database{file}.run("PRAGMA user_version = 1");
  CAF_CHECK_EQUAL(code_thrown([&] { sqlite::sqlite_catalogue{file, 1, false}; }), ec::conflict);
}

CAF_TEST(any number of threads may use one catalogue) {
  for_each_catalogue([](catalogue_engine& store) {
    constexpr int count = 50;
    std::atomic<int> errors = 0;
    auto tries = [&](auto f) {
      return std::thread{[&, f] {
        for (int i = 0; i < count; ++i)
          try {
            f(i);
          } catch (const std::exception&) {
            ++errors;
          }
      }};
    };
    std::vector<std::thread> threads;
    threads.push_back(tries([&](int i) { store->insert(row("r" + std::to_string(i), generation_state::completed)); }));
    for (int n = 0; n < 3; ++n)
      threads.push_back(tries([&](int i) {
        auto found = store->newest("", UINT64_MAX, 10);
        errors += std::is_sorted(found.begin(), found.end(), [](auto& a, auto& b) { return a.accepted > b.accepted; })
                      ? 0
                      : 1;
        store->find("r" + std::to_string(i));
      }));
    threads.push_back(tries([&](int i) { store->insert(api_key{"k" + std::to_string(i), "h" + std::to_string(i)}); }));
    for (auto& x : threads)
      x.join();
    CAF_CHECK_EQUAL(errors, 0);
    CAF_CHECK_EQUAL(store->newest("", UINT64_MAX, 1'000).size(), static_cast<size_t>(count));
    CAF_CHECK_EQUAL(store->keys().size(), static_cast<size_t>(count));
  });
}

CAF_TEST(many may open a new catalogue at once) {
  for (int round = 0; round < 5; ++round)
    for (const auto& url : catalogue_urls()) {
      temporary_folder folder;
      std::mutex mutex;
      std::string error;
      std::vector<std::thread> threads;
      for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
          try {
            open_catalogue(url, {folder.path(), 1 << 20, {}})->keys();
          } catch (const std::exception& e) {
            std::lock_guard lock{mutex};
            error = e.what();
          }
        });
      for (auto& x : threads)
        x.join();
      CAF_CHECK_EQUAL(error, "");
    }
}

CAF_TEST(reading does not wait for who writes) {
  catalogue_engine store{"sqlite:"};
  auto x = insert(*store, row("a"));
  sqlite::database other{(store.folder() / "catalogue.sqlite").string()};
  sqlite::transaction writing{other};
  other.run("DELETE FROM generations");
  auto before = std::chrono::steady_clock::now();
  CAF_CHECK(store->find("a") == x);
  CAF_CHECK_LESS(std::chrono::steady_clock::now() - before, std::chrono::seconds{1});
}

CAF_TEST(numbers come back exactly) {
  for_each_catalogue([](catalogue_engine& store) {
    for (double length : {0.0, 0.1 + 0.2, 1e-9, 1e300, 123'456.789'012'345}) {
      auto x = row("d" + std::to_string(length) + std::to_string(length * 1e9));
      x.duration_s = length;
      x.seed = UINT64_MAX;
      x = insert(*store, x);
      CAF_CHECK(store->find(x.request_id) == x);
    }
  });
}

CAF_TEST(an unknown engine is refused and the known ones are named) {
  std::string text;
  auto code = code_thrown([&] {
    try {
      open_catalogue("oracle:", {});
    } catch (const adapter_error& e) {
      text = e.what();
      throw;
    }
  });
  CAF_CHECK_EQUAL(code, ec::invalid_argument);
  CAF_CHECK(text.find("sqlite:") != std::string::npos);
}
