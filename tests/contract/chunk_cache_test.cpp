// What every cache of recent records promises. It may forget at any time: a server that is slow for a moment counts as away,
// so that whatever is looked for is looked for again.
#define CAF_SUITE contract.chunk_cache

#include "adapters/memory/memory_chunk_cache.hpp"

#include <thread>

#include "tests/support/engines.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

/// Records of these texts from a position on.
std::vector<chunk> records(position at, const std::vector<std::string>& texts) {
  std::vector<chunk> all;
  for (const auto& text : texts) {
    all.push_back({at, payload{text}, {static_cast<uint32_t>(text.size())}});
    at += text.size();
  }
  return all;
}

std::string line(const std::vector<chunk>& found) {
  std::string out;
  for (const auto& x : found) {
    out += std::to_string(x.start) + ":" + std::string{x.bytes.view()};
    for (auto length : x.lengths)
      out += "/" + std::to_string(length);
    out += ' ';
  }
  return out;
}

/// Runs `fill` and then `look` until that answers what it should, and checks what it answered in the end.
template <class Fill, class Look>
void settles(Fill fill, Look look, const std::string& expected) {
  std::string found;
  for (int attempt = 0; attempt < 8; ++attempt) {
    fill(); // which may take its time to get there, or be dropped
    for (auto until = std::chrono::steady_clock::now() + 1100ms;
         (found = line(look())) != expected && std::chrono::steady_clock::now() < until;)
      std::this_thread::sleep_for(2ms);
    if (found == expected)
      break;
  }
  CAF_CHECK_EQUAL(found, expected);
}

} // namespace

CAF_TEST(records are found from where one begins) {
  for_each_chunk_cache([](chunk_cache_engine& cache) {
    auto fill = [&] {
      cache->put(7, records(0, {"abc", "de"}));
      cache->put(7, records(5, {"fghi", "j"}));
      cache->put(8, records(3, {"neighbour"}));
    };
    auto answers = [&](position after, uint64_t limit, const std::string& expected) {
      settles(fill, [&] { return cache->get(7, after, limit); }, expected);
    };
    answers(0, 100, "0:abc/3 3:de/2 5:fghi/4 9:j/1 ");
    answers(3, 100, "3:de/2 5:fghi/4 9:j/1 ");
    answers(0, 0, "0:abc/3 ");
    answers(0, 4, "0:abc/3 ");
    answers(0, 5, "0:abc/3 3:de/2 ");
    answers(9, UINT64_MAX, "9:j/1 ");
    answers(1, 100, ""); // inside a record
    answers(10, 100, "");
    answers(UINT64_MAX, 100, "");
    settles(fill, [&] { return cache->get(9, 0, 100); }, "");
    settles(fill, [&] { return cache->get(8, 3, 100); }, "3:neighbour/9 ");
  });
}

CAF_TEST(any byte is kept) {
  for_each_chunk_cache([](chunk_cache_engine& cache) {
    auto strange = records(UINT64_MAX / 2, {std::string{"\0\xff\r\n\x01", 5}, std::string(100'000, '\0')});
    settles([&] { cache->put(1, strange); }, [&] { return cache->get(1, UINT64_MAX / 2, UINT64_MAX); }, line(strange));
  });
}

CAF_TEST(putting nothing or the same again changes nothing) {
  for_each_chunk_cache([](chunk_cache_engine& cache) {
    auto all = records(0, {"abc", "de", "f"});
    auto fill = [&] {
      cache->put(1, all);
      cache->put(1, {});
      cache->put(2, {});
      cache->put(1, records(0, {"abc"}));
      cache->put(1, records(3, {"de", "f"}));
      cache->put(1, all);
    };
    settles(fill, [&] { return cache->get(1, 0, 100); }, line(all));
    settles(fill, [&] { return cache->get(2, 0, 100); }, "");
  });
}

CAF_TEST(what is older than everything kept is left out) {
  for_each_chunk_cache([](chunk_cache_engine& cache) {
    auto fill = [&] {
      cache->put(1, records(10, {"new", "er"}));
      cache->put(1, records(0, {"old"}));
    };
    settles(fill, [&] { return cache->get(1, 10, 100); }, "10:new/3 13:er/2 ");
    auto old = cache->get(1, 0, 100);
    CAF_CHECK(old.empty());
  });
}

CAF_TEST(nothing is read over a gap) {
  for_each_chunk_cache([](chunk_cache_engine& cache) {
    auto fill = [&] {
      cache->put(1, records(0, {"abc"}));
      cache->put(1, records(5, {"fgh"}));
    };
    settles(fill, [&] { return cache->get(1, 5, 100); }, "5:fgh/3 ");
    auto before = line(cache->get(1, 0, 100));
    CAF_CHECK(before == "0:abc/3 " || before.empty());
  });
}

/// As when a server has lost its last second: the stream goes on from before, with other bytes.
CAF_TEST(records that contradict what is there take its place) {
  for_each_chunk_cache([](chunk_cache_engine& cache) {
    auto fill = [&](const std::vector<chunk>& then) {
      return [&cache, then] {
        cache->forget(1);
        cache->put(1, records(0, {"abc", "def", "ghi"}));
        cache->put(1, then);
      };
    };
    for (const auto& texts : std::vector<std::vector<std::string>>{{"DEF"}, {"DE", "FG"}, {"DEFGHIJKL"}}) {
      auto then = records(3, texts);
      settles(fill(then), [&] { return cache->get(1, 3, 100); }, line(then));
    }
    auto shifted = records(4, {"other"});
    settles(fill(shifted), [&] { return cache->get(1, 4, 100); }, line(shifted));
    settles([] {}, [&] { return cache->get(1, 3, 100); }, "");
  });
}

CAF_TEST(what is forgotten is not found and may come again) {
  for_each_chunk_cache([](chunk_cache_engine& cache) {
    cache->forget(1);
    auto other = [&] { cache->put(2, records(0, {"stays"})); };
    settles([&] { cache->put(1, records(0, {"abc"})), cache->forget(1); }, [&] { return cache->get(1, 0, 100); }, "");
    settles(other, [&] { return cache->get(2, 0, 100); }, "0:stays/5 ");
    settles([&] { cache->put(1, records(0, {"x"})); }, [&] { return cache->get(1, 0, 100); }, "0:x/1 ");
  });
}

CAF_TEST(many threads may use it) {
  for_each_chunk_cache([](chunk_cache_engine& cache) {
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (stream_id id = 1; id <= 6; ++id)
      threads.emplace_back([&cache, &wrong, id] {
        for (position at = 0; at < 600; at += 3) {
          cache->put(id % 3, records(at, {"abc"}));
          auto found = cache->get(id % 3, at, 9);
          wrong += !found.empty() && (found.front().start != at || found.front().bytes.view() != "abc") ? 1 : 0;
          if (at % 60 == 0)
            cache->forget(id % 3);
        }
      });
    for (auto& x : threads)
      x.join();
    CAF_CHECK_EQUAL(wrong.load(), 0);
  });
}

CAF_TEST(what is read from memory in large parts lies where sockets send it from) {
  memory::memory_chunk_cache cache{1 << 20};
  auto texts = std::vector<std::string>{std::string(30'000, 'a'), std::string(30'000, 'b'), std::string(30'000, 'c')};
  auto all = line(records(0, texts));
  cache.put(1, records(0, texts));
  CAF_CHECK_EQUAL(cache.get(1, 0, 30'000).front().bytes.file(), -1); // little: it is not worth it
  for (int again = 0; again < 2; ++again) {
    auto found = cache.get(1, 0, UINT64_MAX);
    CAF_CHECK_EQUAL(line(found), all);
    for (const auto& x : found)
      CAF_CHECK_GREATER_OR_EQUAL(x.bytes.file(), 0);
    CAF_CHECK_EQUAL(found[2].bytes.offset() - found[0].bytes.offset(), 60'000u);
  }
  auto one = cache.get(1, 30'000, 30'000);
  CAF_CHECK_GREATER_OR_EQUAL(one.front().bytes.file(), 0); // and there it stays
  cache.put(1, records(90'000, {std::string(100'000, 'd')}));
  auto found = cache.get(1, 0, UINT64_MAX);
  CAF_CHECK_EQUAL(found[1].bytes.offset(), one.front().bytes.offset()); // not once more
  CAF_CHECK_GREATER_OR_EQUAL(found[3].bytes.file(), 0);
  cache.forget(1);
  CAF_CHECK_EQUAL(line(found), line(records(0, {texts[0], texts[1], texts[2], std::string(100'000, 'd')})));
}

CAF_TEST(records that lie side by side come as one for who wants that and for nobody else) {
  memory::memory_chunk_cache cache{1 << 20};
  auto texts = std::vector<std::string>{std::string(30'000, 'a'), std::string(30'000, 'b'), std::string(30'000, 'c')};
  auto written = records(0, texts);
  for (auto& x : written)
    x.lengths.clear(); // just bytes
  cache.put(1, written);
  CAF_CHECK_EQUAL(line(cache.get_joined(1, 0, 40'000)), line(std::vector<chunk>{written[0]})); // not in the file yet
  cache.get(1, 0, UINT64_MAX);
  auto joined = cache.get_joined(1, 0, UINT64_MAX);
  CAF_REQUIRE_EQUAL(joined.size(), 1u);
  CAF_CHECK(joined[0].bytes.view() == texts[0] + texts[1] + texts[2]);
  CAF_CHECK_EQUAL(cache.get_joined(1, 30'000, 60'000).front().bytes.size(), 60'000u);
  CAF_CHECK_EQUAL(cache.get_joined(1, 30'000, 59'999).front().bytes.size(), 30'000u); // within the limit
  CAF_CHECK_EQUAL(line(cache.get(1, 0, UINT64_MAX)), line(written));
  auto rest = chunk{90'000, std::string(70'000, 'd'), {30'000, 40'000}};
  cache.put(1, std::vector<chunk>{rest});
  for (int again = 0; again < 2; ++again) { // messages stay as they are, also when they are put into the file
    auto all = cache.get_joined(1, 0, UINT64_MAX);
    CAF_REQUIRE_EQUAL(all.size(), 2u);
    CAF_CHECK(all[1].lengths == rest.lengths);
  }
  CAF_CHECK_EQUAL(cache.get(1, 0, UINT64_MAX).size(), 4u);
}

CAF_TEST(the memory cache stays within its bytes and drops what nobody uses first) {
  auto text = std::string(1000, 'x');
  auto cost = 1000 + sizeof(chunk) + sizeof(uint32_t);
  memory::memory_chunk_cache cache{6 * cost};
  cache.put(1, records(0, {text, text, text}));
  cache.put(2, records(0, {text, text, text}));
  CAF_CHECK_EQUAL(cache.get(1, 0, UINT64_MAX).size(), 3u); // a use
  cache.put(3, records(0, {text}));
  CAF_CHECK_EQUAL(cache.get(2, 0, UINT64_MAX).size(), 0u); // the oldest of the one that was not used
  CAF_CHECK_EQUAL(cache.get(2, 1000, UINT64_MAX).size(), 2u);
  CAF_CHECK_EQUAL(cache.get(1, 0, UINT64_MAX).size(), 3u);
  cache.put(4, records(0, {text, text, text, text, text, text, text}));
  CAF_CHECK(cache.get(1, 0, 1).empty() && cache.get(2, 2000, 1).empty() && cache.get(3, 0, 1).empty());
  CAF_CHECK_EQUAL(cache.get(4, 1000, UINT64_MAX).size(), 6u);
  cache.put(5, records(0, {std::string(7 * cost, 'y')})); // larger than all there may be
  CAF_CHECK(cache.get(5, 0, 1).empty() && cache.get(4, 6000, 1).empty());
  cache.put(6, records(0, {text}));
  CAF_CHECK_EQUAL(cache.get(6, 0, 1).size(), 1u);
}
