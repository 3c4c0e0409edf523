#define CAF_SUITE actors.generation.take

#include "actors/generation/take.hpp"

#include "tests/support/test.hpp"

using namespace segue;

namespace {

/// Frames of the generator, and what of them is to be appended where; "-" for nothing.
std::string added(take& x, const std::string& frames) {
  auto fresh = x.add(payload{frames});
  return fresh.bytes.empty() ? "-" : std::string{fresh.bytes.view()} + "@" + std::to_string(fresh.at);
}

} // namespace

CAF_TEST(the first attempt adds everything) {
  take x{0};
  CAF_CHECK(x.begin(0));
  CAF_CHECK_EQUAL(added(x, "abc"), "abc@0");
  CAF_CHECK_EQUAL(added(x, "def"), "def@3");
  CAF_CHECK_EQUAL(x.added(), 6u);
}

CAF_TEST(what is known is dropped wherever the generator begins) {
  for (position from : {0, 2, 4}) {
    take x{5};
    CAF_CHECK(x.begin(from));
    std::string sound = "0123456789";
    std::string fresh;
    for (position at = from; at < sound.size(); at += 2) {
      auto addition = x.add(payload{sound.substr(at, 2)});
      if (!addition.bytes.empty())
        CAF_CHECK_EQUAL(addition.at, 5 + fresh.size());
      fresh += addition.bytes.view();
    }
    CAF_CHECK_EQUAL(fresh, "56789");
    CAF_CHECK_EQUAL(x.added(), 5u);
  }
}

CAF_TEST(a generator that begins at the tail adds from its first frame on) {
  take x{5};
  CAF_CHECK(x.begin(5));
  CAF_CHECK_EQUAL(added(x, "ab"), "ab@5");
}

CAF_TEST(a generator that begins behind the tail leaves a gap and adds nothing) {
  take x{5};
  CAF_CHECK(!x.begin(6));
  CAF_CHECK_EQUAL(x.added(), 0u);
}

CAF_TEST(a generator that ends before the tail adds nothing) {
  take x{5};
  CAF_CHECK(x.begin(0));
  CAF_CHECK_EQUAL(added(x, "abc"), "-");
  CAF_CHECK_EQUAL(added(x, ""), "-");
  CAF_CHECK_EQUAL(added(x, "de"), "-");
  CAF_CHECK_EQUAL(x.added(), 0u);
}
