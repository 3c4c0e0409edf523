// What every catalogue promises about keys of API clients, see `adapters/ports.hpp`.
#define CAF_SUITE contract.catalogue_keys

#include "tests/support/engines.hpp"

#include "tests/support/test.hpp"

using namespace segue;

namespace {

api_key key(const std::string& id, const std::string& hash, role may = role::writer, int64_t created_at_ms = 1) {
  return {id, hash, "user of " + id, may, "a \"note\" with 'quotes' äöü", created_at_ms};
}

std::string ids(const std::vector<api_key>& keys) {
  std::string out;
  for (const auto& x : keys)
    out += x.id + " ";
  return out;
}

ec inserting(catalogue_store& store, const api_key& x) {
  try {
    store.insert(x);
  } catch (const adapter_error& e) {
    return e.code();
  }
  return ec::none;
}

} // namespace

CAF_TEST(a key is found by its hash as it was inserted) {
  for_each_catalogue([](catalogue_engine& store) {
    CAF_CHECK(!store->find_key("h1"));
    for (auto may : {role::nobody, role::reader, role::writer, role::admin}) {
      auto x = key(to_string(may), "hash of " + to_string(may), may, 1'790'000'000'123);
      store->insert(x);
      CAF_CHECK(store->find_key(x.hash) == x);
    }
    CAF_CHECK(!store->find_key("hash of"));
    CAF_CHECK(!store->find_key(""));
  });
}

CAF_TEST(a taken id or hash is a conflict and leaves the first key alone) {
  for_each_catalogue([](catalogue_engine& store) {
    auto first = key("a", "h1");
    store->insert(first);
    CAF_CHECK_EQUAL(inserting(*store, key("a", "h2", role::admin)), ec::conflict);
    CAF_CHECK_EQUAL(inserting(*store, key("b", "h1", role::admin)), ec::conflict);
    CAF_CHECK(store->find_key("h1") == first);
    CAF_CHECK_EQUAL(ids(store->keys()), "a ");
    CAF_CHECK_EQUAL(inserting(*store, key("b", "h2")), ec::none);
  });
}

CAF_TEST(keys are listed in the order they were made) {
  for_each_catalogue([](catalogue_engine& store) {
    CAF_CHECK(store->keys().empty());
    store->insert(key("b", "h1", role::reader, 300));
    store->insert(key("d", "h2", role::reader, 200));
    store->insert(key("c", "h3", role::reader, 200));
    CAF_CHECK_EQUAL(ids(store->keys()), "c d b ");
  });
}

CAF_TEST(an erased key opens nothing any more) {
  for_each_catalogue([](catalogue_engine& store) {
    store->insert(key("a", "h1"));
    store->insert(key("b", "h2"));
    CAF_CHECK(store->erase_key("a"));
    CAF_CHECK(!store->erase_key("a"));
    CAF_CHECK(!store->erase_key("never there"));
    CAF_CHECK(!store->find_key("h1"));
    CAF_CHECK_EQUAL(ids(store->keys()), "b ");
  });
}

CAF_TEST(keys are read and written while somebody else serves) {
  for_each_catalogue([](catalogue_engine& store) {
    if (!store.durable())
      return;
    adapter_context context{store.folder(), 1 << 20, {}};
    context.owner = false;
    auto other = open_catalogue(store.url(), context); // takes no lease
    other->insert(key("a", "h1"));
    CAF_CHECK(store->find_key("h1") == key("a", "h1"));
    CAF_CHECK(store->erase_key("a"));
    CAF_CHECK(!other->find_key("h1"));
  });
}

CAF_TEST(keys survive a restart) {
  for_each_catalogue([](catalogue_engine& store) {
    store->insert(key("a", "h1"));
    store.restart();
    CAF_CHECK(store->find_key("h1") == key("a", "h1"));
  });
}
