// What every catalogue promises to operators about transfers, see `adapters/ports.hpp`.
#define CAF_SUITE contract.catalogue_operator

#include "tests/support/engines.hpp"

#include "tests/support/test.hpp"

using namespace segue;

namespace {

/// A row in a state, as a worker leaves it behind.
transfer_row in_state(
    catalogue_store& store, const std::string& path, transfer_state state, int64_t changed_at_ms = 60) {
  transfer_row x;
  x.path = path;
  x.due_at_ms = 100;
  x = store.insert(x);
  x.state = state;
  x.attempts = 5;
  x.error = "no bucket";
  x.changed_at_ms = changed_at_ms;
  CAF_REQUIRE(store.store(x));
  return x;
}

std::string paths(const std::vector<transfer_row>& rows) {
  std::string out;
  for (const auto& x : rows)
    out += x.path + " ";
  return out;
}

} // namespace

CAF_TEST(a dead or waiting transfer is tried again at once) {
  for_each_catalogue([](catalogue_engine& store) {
    for (auto state : {transfer_state::dead, transfer_state::waiting}) {
      auto x = in_state(*store, to_string(state), state);
      x.state = transfer_state::waiting;
      x.attempts = 0;
      x.due_at_ms = x.changed_at_ms = 7'000;
      CAF_CHECK(store->retry(x.id, 7'000) == x);
      CAF_CHECK(store->find_transfer(x.id) == x);
    }
    CAF_CHECK_EQUAL(store->lease("w", 7'000, 8'000, 10).size(), 2u);
  });
}

CAF_TEST(what runs or is done is not tried again) {
  for_each_catalogue([](catalogue_engine& store) {
    for (auto state : {transfer_state::running, transfer_state::done}) {
      auto x = in_state(*store, to_string(state), state);
      CAF_CHECK(store->retry(x.id, 7'000) == x);
      CAF_CHECK(store->find_transfer(x.id) == x);
    }
    CAF_CHECK(!store->retry(4'711, 7'000));
  });
}

CAF_TEST(a transfer that does not run can be dropped) {
  for_each_catalogue([](catalogue_engine& store) {
    for (auto state : {transfer_state::waiting, transfer_state::dead, transfer_state::done}) {
      auto x = in_state(*store, to_string(state), state);
      CAF_CHECK(store->drop(x.id) == x);
      CAF_CHECK(!store->find_transfer(x.id));
      CAF_CHECK(!store->drop(x.id));
    }
    auto running = in_state(*store, "running", transfer_state::running);
    CAF_CHECK(store->drop(running.id) == running);
    CAF_CHECK(store->find_transfer(running.id) == running);
  });
}

CAF_TEST(a removal is dropped only when it is done) {
  for_each_catalogue([](catalogue_engine& store) {
    for (auto state : {transfer_state::waiting, transfer_state::dead, transfer_state::running, transfer_state::done}) {
      auto x = in_state(*store, to_string(state), state);
      x.kind = transfer_kind::remove;
      CAF_REQUIRE(store->store(x));
      CAF_CHECK(store->drop(x.id) == x);
      CAF_CHECK_EQUAL(store->find_transfer(x.id).has_value(), state != transfer_state::done);
    }
  });
}

CAF_TEST(an id is never used again) {
  for_each_catalogue([](catalogue_engine& store) {
    auto first = in_state(*store, "a", transfer_state::waiting);
    store->drop(first.id);
    store.restart();
    CAF_CHECK(!store.durable() || in_state(*store, "a", transfer_state::waiting).id > first.id);
  });
}

CAF_TEST(only what was done long ago is forgotten) {
  for_each_catalogue([](catalogue_engine& store) {
    in_state(*store, "old", transfer_state::done, 999);
    in_state(*store, "new", transfer_state::done, 1'000);
    in_state(*store, "dead", transfer_state::dead, 1);
    in_state(*store, "waiting", transfer_state::waiting, 1);
    in_state(*store, "running", transfer_state::running, 1);
    store->prune(1'000);
    CAF_CHECK_EQUAL(paths(store->transfers(0, 10, false)), "new dead waiting running ");
  });
}

CAF_TEST(transfers are listed by id and page by page) {
  for_each_catalogue([](catalogue_engine& store) {
    std::vector<uint64_t> ids;
    for (const auto* path : {"a", "b", "c", "d", "e"})
      ids.push_back(
          in_state(*store, path, *path == 'b' || *path == 'd' ? transfer_state::dead : transfer_state::done).id);
    CAF_CHECK(std::is_sorted(ids.begin(), ids.end()));
    CAF_CHECK_EQUAL(paths(store->transfers(0, 10, false)), "a b c d e ");
    CAF_CHECK_EQUAL(paths(store->transfers(0, 2, false)), "a b ");
    CAF_CHECK_EQUAL(paths(store->transfers(ids[1], 2, false)), "c d ");
    CAF_CHECK_EQUAL(paths(store->transfers(ids[4], 2, false)), "");
    CAF_CHECK_EQUAL(paths(store->transfers(UINT64_MAX, 2, false)), "");
    CAF_CHECK_EQUAL(paths(store->transfers(0, 10, true)), "b d ");
    CAF_CHECK_EQUAL(paths(store->transfers(ids[1], 10, true)), "d ");
    CAF_CHECK_EQUAL(paths(store->transfers(0, 1, true)), "b ");
  });
}

CAF_TEST(changes are listed by their time) {
  for_each_catalogue([](catalogue_engine& store) {
    in_state(*store, "second", transfer_state::waiting, 200);
    in_state(*store, "first", transfer_state::done, 100);
    in_state(*store, "third", transfer_state::dead, 200);
    in_state(*store, "fourth", transfer_state::running, 300);
    CAF_CHECK_EQUAL(paths(store->changed_transfers(0, 10)), "first second third fourth ");
    CAF_CHECK_EQUAL(paths(store->changed_transfers(200, 10)), "second third fourth ");
    CAF_CHECK_EQUAL(paths(store->changed_transfers(101, 2)), "second third ");
    CAF_CHECK_EQUAL(paths(store->changed_transfers(301, 2)), "");
  });
}
