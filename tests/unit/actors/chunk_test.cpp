#define CAF_SUITE actors.chunk

#include "actors/chunk.hpp"

#include <numeric>

#include "tests/support/test.hpp"

using namespace segue;

namespace {

const chunk sound{1'000, payload{"abcdefgh"}, {}};
const chunk messages{1'000, payload{"aaabcccccdd"}, {3, 1, 5, 2}};

} // namespace

CAF_TEST(a chunk ends after its last byte) {
  CAF_CHECK_EQUAL(sound.end(), 1'008u);
  CAF_CHECK_EQUAL(messages.end(), 1'011u);
}

CAF_TEST(from its start a chunk is itself) {
  for (const auto& x : {sound, messages}) {
    auto part = x.from(x.start);
    CAF_REQUIRE(part.has_value());
    CAF_CHECK_EQUAL(part->start, x.start);
    CAF_CHECK(part->bytes == x.bytes);
    CAF_CHECK(part->lengths == x.lengths);
  }
}

CAF_TEST(plain bytes are cut anywhere and never copied) {
  for (auto at = sound.start; at < sound.end(); ++at) {
    auto part = sound.from(at);
    CAF_REQUIRE(part.has_value());
    CAF_CHECK_EQUAL(part->start, at);
    CAF_CHECK_EQUAL(part->end(), sound.end());
    CAF_CHECK_EQUAL(std::string{part->bytes.view()}, std::string{"abcdefgh"}.substr(at - sound.start));
    CAF_CHECK(part->bytes.view().data() == sound.bytes.view().data() + (at - sound.start));
    CAF_CHECK(part->lengths.empty());
  }
}

CAF_TEST(messages are cut between messages only) {
  std::vector<position> boundaries;
  for (auto at = messages.start; at < messages.end(); ++at)
    if (messages.from(at))
      boundaries.push_back(at);
  CAF_CHECK_EQUAL(boundaries, (std::vector<position>{1'000, 1'003, 1'004, 1'009}));
}

CAF_TEST(a cut between messages keeps the lengths of what follows) {
  auto part = messages.from(1'004);
  CAF_REQUIRE(part.has_value());
  CAF_CHECK_EQUAL(part->start, 1'004u);
  CAF_CHECK_EQUAL(std::string{part->bytes.view()}, "cccccdd");
  CAF_CHECK_EQUAL(part->lengths, (std::vector<uint32_t>{5, 2}));
  auto rest = part->from(1'009);
  CAF_REQUIRE(rest.has_value());
  CAF_CHECK_EQUAL(std::string{rest->bytes.view()}, "dd");
  CAF_CHECK_EQUAL(rest->lengths, (std::vector<uint32_t>{2}));
}

CAF_TEST(lengths always add up to the size) {
  for (auto at = messages.start; at < messages.end(); ++at)
    if (auto part = messages.from(at)) {
      CAF_CHECK_EQUAL(std::accumulate(part->lengths.begin(), part->lengths.end(), size_t{0}), part->bytes.size());
    }
}

CAF_TEST(a chunk of one message has no place to be cut) {
  const chunk one{7, payload{"{\"a\":1}"}, {7}};
  CAF_CHECK(one.from(7).has_value());
  for (position at = 8; at < one.end(); ++at)
    CAF_CHECK(!one.from(at).has_value());
}
