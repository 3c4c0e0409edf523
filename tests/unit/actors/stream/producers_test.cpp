#define CAF_SUITE actors.stream.producers

#include "actors/stream/producers.hpp"

#include <algorithm>
#include <random>

#include "tests/support/test.hpp"

using namespace segue;

namespace {

using verdict = producers::verdict;

std::string name_of(verdict x) {
  constexpr const char* names[] = {"accepted", "duplicate", "stale", "gap", "bad_start"};
  return names[static_cast<size_t>(x)];
}

/// Remembers every append that was ever taken and looks at all of them.
class naive_producers {
public:
  verdict judge(const producer_tag& tag) const {
    auto mine = [&](const producer_tag& x) { return x.id == tag.id; };
    auto newer = [&](const producer_tag& x) { return mine(x) && x.epoch > tag.epoch; };
    auto same = [&](const producer_tag& x) { return mine(x) && x.epoch == tag.epoch; };
    auto known = std::any_of(taken_.begin(), taken_.end(), mine);
    auto next = static_cast<uint64_t>(std::count_if(taken_.begin(), taken_.end(), same));
    if (std::any_of(taken_.begin(), taken_.end(), newer))
      return verdict::stale;
    if (tag.seq < next)
      return verdict::duplicate;
    if (tag.seq == next)
      return verdict::accepted;
    return known && next == 0 ? verdict::bad_start : verdict::gap;
  }

  void accept(const producer_tag& tag) { taken_.push_back(tag); }

private:
  std::vector<producer_tag> taken_;
};

} // namespace

CAF_TEST(what is accepted depends on epoch and number) {
  struct row {
    producer_tag tag;
    verdict expected;
  };
  producers p;
  p.load({{"a", 3, 5}});
  for (const auto& [tag, expected] : std::vector<row>{
           {{"a", 3, 6}, verdict::accepted},
           {{"a", 3, 5}, verdict::duplicate},
           {{"a", 3, 4}, verdict::duplicate},
           {{"a", 3, 0}, verdict::duplicate},
           {{"a", 3, 7}, verdict::gap},
           {{"a", 3, UINT64_MAX}, verdict::gap},
           {{"a", 2, 6}, verdict::stale},
           {{"a", 2, 0}, verdict::stale},
           {{"a", 0, 0}, verdict::stale},
           {{"a", 4, 0}, verdict::accepted},
           {{"a", 4, 1}, verdict::bad_start},
           {{"a", 4, 6}, verdict::bad_start},
           {{"a", UINT64_MAX, 0}, verdict::accepted},
           {{"b", 0, 0}, verdict::accepted},
           {{"b", 9, 0}, verdict::accepted},
           {{"b", 0, 1}, verdict::gap},
           {{"b", 3, 6}, verdict::gap},
           {{"A", 3, 6}, verdict::gap},
           {{"", 0, 0}, verdict::accepted},
       }) {
    CAF_MESSAGE(caf::deep_to_string(tag));
    CAF_CHECK_EQUAL(name_of(p.judge(tag)), name_of(expected));
  }
}

CAF_TEST(judging changes nothing) {
  producers p;
  for (int i = 0; i < 3; ++i)
    CAF_CHECK_EQUAL(name_of(p.judge({"a", 0, 0})), "accepted");
  CAF_CHECK(!p.last("a"));
}

CAF_TEST(the last accepted append is known) {
  producers p;
  p.load({{"a", 3, 5}, {"b", 0, 0}});
  p.accept({"a", 3, 6});
  CAF_CHECK(p.last("a") == (producer_tag{"a", 3, 6}));
  CAF_CHECK(p.last("b") == (producer_tag{"b", 0, 0}));
  CAF_CHECK(!p.last("c"));
  p.accept({"a", 4, 0});
  CAF_CHECK(p.last("a") == (producer_tag{"a", 4, 0}));
}

CAF_TEST(loading forgets what was known before) {
  producers p;
  p.load({{"a", 3, 5}});
  p.load({{"b", 1, 2}});
  CAF_CHECK(!p.last("a"));
  CAF_CHECK(p.last("b") == (producer_tag{"b", 1, 2}));
}

CAF_TEST(a number that cannot grow any more repeats itself) {
  producers p;
  p.load({{"a", 0, UINT64_MAX}});
  CAF_CHECK_EQUAL(name_of(p.judge({"a", 0, UINT64_MAX})), "duplicate");
  CAF_CHECK_EQUAL(name_of(p.judge({"a", 0, 0})), "duplicate");
}

CAF_TEST(verdicts are those of a model that remembers everything) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::minstd_rand dice{seed};
    producers p;
    naive_producers model;
    const std::vector<std::string> ids{"a", "b", "c"};
    for (int i = 0; i < 400; ++i) {
      producer_tag tag{ids[dice() % ids.size()], dice() % 4, dice() % 6};
      if (auto last = p.last(tag.id); last && dice() % 2 == 0)
        tag = {tag.id, last->epoch, last->seq + dice() % 3};
      auto judged = p.judge(tag);
      CAF_MESSAGE("seed " << seed << ": " << caf::deep_to_string(tag));
      CAF_REQUIRE_EQUAL(name_of(judged), name_of(model.judge(tag)));
      if (judged == verdict::accepted) {
        p.accept(tag);
        model.accept(tag);
      }
      if (dice() % 20 == 0) { // a new owner knows what is durable: the newest of each
        std::vector<producer_tag> durable;
        for (const auto& id : ids)
          if (auto last = p.last(id))
            durable.push_back(*last);
        p = producers{};
        p.load(durable);
      }
    }
  }
}
