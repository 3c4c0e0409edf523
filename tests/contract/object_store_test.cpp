// What every object store promises, see `adapters/ports.hpp`.
#define CAF_SUITE contract.object_store

#include <random>
#include <thread>

#include "tests/support/engines.hpp"
#include "tests/support/test.hpp"

using namespace segue;

namespace {

constexpr size_t mebibyte = 1 << 20;

template <class F>
ec code_thrown(F f) {
  try {
    f();
  } catch (const adapter_error& e) {
    CAF_MESSAGE(e.what());
    return e.code();
  }
  return ec::none;
}

/// Bytes of every value, other ones for every seed.
std::string noise(size_t size, uint32_t seed) {
  std::mt19937 dice{seed};
  std::string bytes(size, '\0');
  for (auto& x : bytes)
    x = static_cast<char>(dice());
  return bytes;
}

void put(object_store& store, const std::string& key, const std::string& bytes) { store.put(key, "audio/mpeg", bytes); }

std::string content(object_store& store, const std::string& key) {
  auto found = store.read(key, 0, 64 * mebibyte);
  return found.size == found.bytes.size() ? std::string{found.bytes.view()} : "not all of it";
}

/// Of an object that others are replacing: then Ceph may fail to read it.
std::string contested_content(object_store& store, const std::string& key) {
  for (int attempt = 0; attempt < 100; ++attempt) try {
      return content(store, key);
    } catch (const adapter_error& e) {
      if (e.code() != ec::unavailable)
        throw;
    }
  return "never read";
}

bool there(object_store& store, const std::string& key) {
  return code_thrown([&] { store.read(key, 0, 1); }) == ec::none;
}

} // namespace

CAF_TEST(an object is read as it was written and also after a restart) {
  for_each_object_store([](object_store_engine& store) {
    auto bytes = noise(300'000, 1);
    put(*store, "songs/a.mp3", bytes);
    CAF_CHECK(content(*store, "songs/a.mp3") == bytes);
    store.restart();
    CAF_CHECK(content(*store, "songs/a.mp3") == bytes);
  });
}

CAF_TEST(a second object under a key takes the place of the first) {
  for_each_object_store([](object_store_engine& store) {
    put(*store, "a", "first, and longer");
    put(*store, "a", "second");
    CAF_CHECK_EQUAL(content(*store, "a"), "second");
  });
}

CAF_TEST(what is not there is not found) {
  for_each_object_store([](object_store_engine& store) {
    put(*store, "a/b/c", "x");
    for (auto* key : {"nothing", "a", "a/b", "a/b/c/d", "a/b/cc"})
      CAF_CHECK_EQUAL(code_thrown([&] { store->read(key, 0, 1); }), ec::not_found);
  });
}

CAF_TEST(a range is read with the size of the whole and there is nothing behind the end) {
  for_each_object_store([](object_store_engine& store) {
    put(*store, "a", "0123456789");
    auto read = [&](uint64_t from, uint64_t length) {
      auto found = store->read("a", from, length);
      CAF_CHECK_EQUAL(found.size, 10u);
      return std::string{found.bytes.view()};
    };
    CAF_CHECK_EQUAL(read(0, 10), "0123456789");
    CAF_CHECK_EQUAL(read(0, 3), "012");
    CAF_CHECK_EQUAL(read(3, 4), "3456");
    CAF_CHECK_EQUAL(read(8, 100), "89");
    CAF_CHECK_EQUAL(read(9, 1), "9");
    CAF_CHECK_EQUAL(read(2, UINT64_MAX), "23456789");
    for (auto from : {uint64_t{10}, uint64_t{11}, uint64_t{1} << 40, UINT64_MAX - 1, UINT64_MAX})
      CAF_CHECK_EQUAL(read(from, 5), "");
    for (auto from : {uint64_t{0}, uint64_t{5}, uint64_t{20}, UINT64_MAX})
      CAF_CHECK_EQUAL(read(from, 0), "");
  });
}

CAF_TEST(an empty object is there and has no bytes) {
  for_each_object_store([](object_store_engine& store) {
    put(*store, "empty", "");
    for (auto length : {uint64_t{0}, uint64_t{1}, uint64_t{1'000}}) {
      auto found = store->read("empty", 0, length);
      CAF_CHECK_EQUAL(found.size, 0u);
      CAF_CHECK(found.bytes.empty());
    }
  });
}

CAF_TEST(an object is gone when it was erased and erasing it again is no error) {
  for_each_object_store([](object_store_engine& store) {
    put(*store, "a/b/first", "1");
    put(*store, "a/b/second", "2");
    store->erase("a/b/first");
    CAF_CHECK(!there(*store, "a/b/first"));
    CAF_CHECK_EQUAL(content(*store, "a/b/second"), "2");
    store->erase("a/b/first");
    store->erase("a/b/second");
    store->erase("a/b/second/never");
    store->erase("never");
    put(*store, "a", "the folder is no longer in the way");
    CAF_CHECK(there(*store, "a"));
  });
}

CAF_TEST(every allowed sign makes another key) {
  for_each_object_store([](object_store_engine& store) {
    const std::string letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    auto longest = std::string(255, 'x') + "/" + std::string(250, 'y') + "/";
    longest.resize(512, 'z');
    std::vector<std::string> keys{letters, "all/" + letters + "/" + letters, "case", "CASE", "...", "a/.b", "a/c.", "-", "_/-",
        ".uploads.x", "a.b/.uploads", longest};
    for (const auto& key : keys)
      put(*store, key, key);
    for (const auto& key : keys)
      CAF_CHECK_EQUAL(content(*store, key), key);
  });
}

CAF_TEST(bad keys are refused in every call) {
  for_each_object_store([](object_store_engine& store) {
    std::vector<std::string> keys{"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a/..", "a b", "a%2e", "a\\b",
        "a?b", "a#b", "a+b", "a~b", "\xc3\xa4", std::string("a\0b", 3), "a\n", std::string(513, 'a'),
        std::string(256, 'a'), ".uploads", ".uploads/x"};
    for (const auto& key : keys) {
      auto refused = [&](auto call) { return code_thrown(call) == ec::invalid_argument; };
      CAF_CHECK(refused([&] { put(*store, key, "x"); }));
      CAF_CHECK(refused([&] { store->read(key, 0, 1); }));
      CAF_CHECK(refused([&] { store->erase(key); }));
      CAF_CHECK(refused([&] { store->begin_upload(key, "a/b"); }));
      CAF_CHECK(refused([&] { store->put_part(key, "id", 1, {}); }));
      CAF_CHECK(refused([&] { store->finish_upload(key, "id", {"x"}); }));
    }
  });
}

CAF_TEST(an object of three parts is put together in order whatever order they came in) {
  for_each_object_store([](object_store_engine& store) {
    auto bytes = noise(12 * mebibyte, 2);
    payload whole{bytes};
    auto id = store->begin_upload("big/a.mp3", "audio/mpeg");
    auto part = [&](uint32_t number) {
      return store->put_part("big/a.mp3", id, number, whole.from((number - 1) * 5 * mebibyte).first(5 * mebibyte));
    };
    auto third = part(3);
    auto first = part(1);
    auto second = part(2);
    CAF_CHECK(!there(*store, "big/a.mp3"));
    store->finish_upload("big/a.mp3", id, {first, second, third});
    store.restart();
    CAF_CHECK(content(*store, "big/a.mp3") == bytes);
    auto middle = store->read("big/a.mp3", 5 * mebibyte - 10, 20);
    CAF_CHECK_EQUAL(middle.size, 12 * mebibyte);
    CAF_CHECK(middle.bytes.view() == std::string_view{bytes}.substr(5 * mebibyte - 10, 20));
  });
}

CAF_TEST(a part that is put again takes the place of itself) {
  for_each_object_store([](object_store_engine& store) {
    auto id = store->begin_upload("a", "audio/mpeg");
    store->put_part("a", id, 1, noise(5 * mebibyte, 3));
    auto last = store->put_part("a", id, 2, std::string{"end"});
    auto better = noise(6 * mebibyte, 4);
    auto first = store->put_part("a", id, 1, better);
    store->finish_upload("a", id, {first, last});
    CAF_CHECK(content(*store, "a") == better + "end");
  });
}

CAF_TEST(what an upload replaces stays until it is finished) {
  for_each_object_store([](object_store_engine& store) {
    put(*store, "a", "old");
    auto id = store->begin_upload("a", "audio/mpeg");
    auto tag = store->put_part("a", id, 1, std::string{"new"});
    CAF_CHECK_EQUAL(content(*store, "a"), "old");
    store->finish_upload("a", id, {tag});
    CAF_CHECK_EQUAL(content(*store, "a"), "new");
  });
}

CAF_TEST(all uploads of a key are thrown away and those of others are not) {
  for_each_object_store([](object_store_engine& store) {
    const std::vector<std::string> others{"a.b", "a/b", "b"};
    auto first = store->begin_upload("a", "audio/mpeg");
    auto tag = store->put_part("a", first, 1, std::string{"x"});
    auto second = store->begin_upload("a", "audio/mpeg");
    std::vector<std::string> kept;
    for (const auto& key : others)
      kept.push_back(store->begin_upload(key, "audio/mpeg"));
    store->abort_uploads("a");
    for (const auto& id : {first, second})
      CAF_CHECK_EQUAL(code_thrown([&] { store->put_part("a", id, 2, std::string{"x"}); }), ec::not_found);
    CAF_CHECK_EQUAL(code_thrown([&] { store->finish_upload("a", first, {tag}); }), ec::not_found);
    CAF_CHECK(!there(*store, "a"));
    store->abort_uploads("a");
    for (size_t i = 0; i < others.size(); ++i) {
      auto own = store->put_part(others[i], kept[i], 1, std::string{"y"});
      store->finish_upload(others[i], kept[i], {own});
      store->erase(others[i]);
    }
  });
}

CAF_TEST(an object stays when what was to replace it is thrown away) {
  for_each_object_store([](object_store_engine& store) {
    put(*store, "a", "kept");
    store->abort_uploads("a");
    store->put_part("a", store->begin_upload("a", "audio/mpeg"), 1, std::string{"x"});
    store->abort_uploads("a");
    CAF_CHECK_EQUAL(content(*store, "a"), "kept");
  });
}

CAF_TEST(an unknown upload is not found and harms nothing) {
  for_each_object_store([](object_store_engine& store) {
    put(*store, "a", "kept");
    auto other = store->begin_upload("b", "audio/mpeg");
    auto tag = store->put_part("b", other, 1, std::string{"x"});
    for (auto id : {std::string{}, std::string{"x"}, std::string{"../a"}, std::string{".."}, std::string{"2~x&versionId=1"},
             std::string{"5b8e1c6a-6f0e-4c3e-9a53-2f1d6d1f7a11"}, other}) {
      CAF_CHECK_EQUAL(code_thrown([&] { store->put_part("a", id, 1, std::string{"y"}); }), ec::not_found);
      CAF_CHECK_EQUAL(code_thrown([&] { store->finish_upload("a", id, {tag}); }), ec::not_found);
    }
    CAF_CHECK_EQUAL(content(*store, "a"), "kept");
    store->finish_upload("b", other, {tag});
    CAF_CHECK_EQUAL(content(*store, "b"), "x");
  });
}

CAF_TEST(an upload is finished only with parts that are there) {
  for_each_object_store([](object_store_engine& store) {
    auto id = store->begin_upload("a", "audio/mpeg");
    auto put_part = [&](uint32_t number) { return store->put_part("a", id, number, std::string{"small"}); };
    CAF_CHECK_EQUAL(code_thrown([&] { put_part(0); }), ec::invalid_argument);
    CAF_CHECK_EQUAL(code_thrown([&] { put_part(10'001); }), ec::invalid_argument);
    auto tag = put_part(1);
    auto finish = [&](std::vector<std::string> tags) {
      return code_thrown([&] { store->finish_upload("a", id, tags); });
    };
    CAF_CHECK_EQUAL(finish({}), ec::invalid_argument);
    CAF_CHECK_EQUAL(finish({"<&\"../../x"}), ec::not_found);
    CAF_CHECK_EQUAL(finish({"5b8e1c6a-6f0e-4c3e-9a53-2f1d6d1f7a11"}), ec::not_found);
    CAF_CHECK(finish({tag, tag}) != ec::none);
    CAF_CHECK(!there(*store, "a"));
    CAF_CHECK_EQUAL(finish({tag}), ec::none);
    CAF_CHECK_EQUAL(content(*store, "a"), "small");
  });
}

CAF_TEST(only the last part may be smaller than five mebibytes) {
  for_each_object_store([](object_store_engine& store) {
    auto id = store->begin_upload("a", "audio/mpeg");
    auto first = store->put_part("a", id, 1, std::string(5 * mebibyte - 1, 'x'));
    auto last = store->put_part("a", id, 2, std::string{"y"});
    CAF_CHECK_EQUAL(code_thrown([&] { store->finish_upload("a", id, {first, last}); }), ec::invalid_argument);
    CAF_CHECK(!there(*store, "a"));
  });
}

CAF_TEST(many threads write and read and erase at once) {
  for_each_object_store([](object_store_engine& store) {
    constexpr size_t threads = 8;
    constexpr size_t rounds = 20;
    std::atomic<size_t> wrong{0};
    put(*store, "shared/all", std::string(1'000, '0'));
    std::vector<std::thread> all;
    for (size_t t = 0; t < threads; ++t)
      all.emplace_back([&, t] {
        auto own = std::string(1'000, static_cast<char>('0' + t));
        for (size_t i = 0; i < rounds; ++i) try {
            auto key = "deep/er/" + std::to_string(i % 2) + "/" + std::to_string(t); // whose folders come and go
            put(*store, key, own);
            wrong += content(*store, key) != own;
            put(*store, "shared/all", own);
            auto common = contested_content(*store, "shared/all");
            wrong += common != std::string(1'000, common.empty() ? 'x' : common.front());
            store->erase(key);
          } catch (const std::exception& e) {
            ++wrong;
            std::fprintf(stderr, "%s\n", e.what());
          }
      });
    for (auto& x : all)
      x.join();
    CAF_CHECK_EQUAL(wrong, 0u);
    CAF_CHECK_EQUAL(code_thrown([&] { store->read("deep/er/0/0", 0, 1); }), ec::not_found);
  });
}
