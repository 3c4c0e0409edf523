#define CAF_SUITE actors.stream.ring

#include "actors/stream/ring.hpp"

#include <random>

#include "tests/support/test.hpp"

using namespace segue;

namespace {

chunk record(position start, size_t size) { return {start, payload{std::string(size, 'x')}, {}}; }

/// Start positions of what a read gives.
std::vector<position> starts(const std::optional<std::vector<chunk>>& found) {
  std::vector<position> result;
  for (const auto& x : *found)
    result.push_back(x.start);
  return result;
}

ring three_records() {
  ring r{1'000};
  r.push(record(100, 10));
  r.push(record(110, 20));
  r.push(record(130, 30));
  return r;
}

} // namespace

CAF_TEST(an empty ring holds nothing) {
  ring r{100};
  CAF_CHECK_EQUAL(r.bytes(), 0u);
  CAF_CHECK(!r.holds(0));
  CAF_CHECK(!r.holds(1));
}

CAF_TEST(a ring holds from its first byte to before its end) {
  auto r = three_records();
  CAF_CHECK_EQUAL(r.bytes(), 60u);
  CAF_CHECK(!r.holds(99));
  CAF_CHECK(r.holds(100));
  CAF_CHECK(r.holds(159));
  CAF_CHECK(!r.holds(160));
}

CAF_TEST(the oldest records leave when the bound is reached) {
  ring r{30};
  r.push(record(0, 10));
  r.push(record(10, 20));
  CAF_CHECK(r.holds(0));
  r.push(record(30, 1));
  CAF_CHECK(!r.holds(9));
  CAF_CHECK(r.holds(10));
  CAF_CHECK_EQUAL(r.bytes(), 21u);
}

CAF_TEST(the newest record stays even when it is larger than the ring) {
  for (size_t capacity : {0u, 30u}) {
    ring r{capacity};
    r.push(record(0, 10));
    r.push(record(10, 500));
    CAF_CHECK(!r.holds(0));
    CAF_CHECK(r.holds(10));
    CAF_CHECK_EQUAL(r.bytes(), 500u);
    CAF_CHECK_EQUAL(starts(r.read(10, 1)), std::vector<position>{10});
    r.push(record(510, 1));
    CAF_CHECK(!r.holds(509));
    CAF_CHECK(r.holds(510));
  }
}

CAF_TEST(a read gives at least one record and stays below the limit otherwise) {
  auto r = three_records();
  CAF_CHECK_EQUAL(starts(r.read(100, 0)), std::vector<position>{100});
  CAF_CHECK_EQUAL(starts(r.read(100, 29)), std::vector<position>{100});
  CAF_CHECK_EQUAL(starts(r.read(100, 30)), (std::vector<position>{100, 110}));
  CAF_CHECK_EQUAL(starts(r.read(100, 59)), (std::vector<position>{100, 110}));
  CAF_CHECK_EQUAL(starts(r.read(100, 60)), (std::vector<position>{100, 110, 130}));
  CAF_CHECK_EQUAL(starts(r.read(100, UINT64_MAX)), (std::vector<position>{100, 110, 130}));
}

CAF_TEST(the first record is cut to begin where the read does) {
  auto r = three_records();
  auto found = r.read(115, 45);
  CAF_REQUIRE(found.has_value());
  CAF_CHECK_EQUAL(starts(found), (std::vector<position>{115, 130}));
  CAF_CHECK_EQUAL(found->front().bytes.size(), 15u);
  CAF_CHECK_EQUAL(starts(r.read(115, 44)), std::vector<position>{115});
  CAF_CHECK_EQUAL(starts(r.read(159, 1'000)), std::vector<position>{159});
}

CAF_TEST(a read inside a message gives nothing) {
  ring r{1'000};
  r.push({0, payload{"aaabb"}, {3, 2}});
  r.push({5, payload{"cccc"}, {4}});
  CAF_CHECK(!r.read(1, 100));
  CAF_CHECK(!r.read(4, 100));
  CAF_CHECK(!r.read(8, 100));
  CAF_CHECK_EQUAL(starts(r.read(3, 100)), (std::vector<position>{3, 5}));
  CAF_CHECK_EQUAL(starts(r.read(5, 100)), std::vector<position>{5});
}

CAF_TEST(a ring is the end of the whole log whatever is pushed) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    std::minstd_rand dice{seed};
    const size_t capacity = dice() % 200;
    ring r{capacity};
    std::string log;
    std::vector<size_t> sizes;
    for (int i = 0; i < 100; ++i) {
      std::string bytes;
      for (size_t n = 1 + dice() % 40; n > 0; --n)
        bytes += static_cast<char>('a' + dice() % 26);
      r.push({log.size(), payload{bytes}, {}});
      log += bytes;
      sizes.push_back(bytes.size());

      // As many of the newest records as fit, but always the last one.
      size_t kept = sizes.back();
      for (auto n = sizes.size() - 1; n > 0 && kept + sizes[n - 1] <= capacity; --n)
        kept += sizes[n - 1];
      CAF_REQUIRE_EQUAL(r.bytes(), kept);
      CAF_REQUIRE(!r.holds(log.size()));
      CAF_REQUIRE_EQUAL(kept == log.size(), r.holds(0));

      auto at = log.size() - kept + dice() % kept;
      auto limit = dice() % 120;
      CAF_REQUIRE(r.holds(at));
      auto found = r.read(at, limit);
      CAF_REQUIRE(found.has_value());
      std::string read;
      for (const auto& x : *found) {
        CAF_REQUIRE_EQUAL(x.start, at + read.size());
        read += x.bytes.view();
      }
      CAF_REQUIRE_EQUAL(read, log.substr(at, read.size()));
      CAF_REQUIRE(found->size() == 1 || read.size() <= limit);
      if (auto next = at + read.size(); r.holds(next)) { // what was left out would not have fitted
        CAF_REQUIRE(read.size() + r.read(next, 0)->front().bytes.size() > limit);
      }
    }
  }
}
