#define CAF_SUITE actors.payload

#include "actors/payload.hpp"

#include "tests/support/test.hpp"

using namespace segue;

namespace {

std::string text_of(const payload& x) { return std::string{x.view()}; }

} // namespace

CAF_TEST(a payload without a block is empty) {
  payload none;
  CAF_CHECK(none.empty());
  CAF_CHECK_EQUAL(none.size(), 0u);
  CAF_CHECK_EQUAL(text_of(none), "");
  CAF_CHECK(none.from(0).empty());
  CAF_CHECK(none.first(5).empty());
  CAF_CHECK(none == payload{std::string{}});
}

CAF_TEST(a payload holds the bytes it was given) {
  std::string bytes;
  for (int i = 0; i < 256; ++i)
    bytes += static_cast<char>(i);
  payload x{bytes};
  CAF_CHECK(!x.empty());
  CAF_CHECK_EQUAL(x.size(), 256u);
  CAF_CHECK(x.view() == bytes);
}

CAF_TEST(copies and parts share one block) {
  payload x{std::string(100, 'x')};
  auto block = x.view().data();
  auto copy = x;
  CAF_CHECK(copy.view().data() == block);
  CAF_CHECK(x.from(30).view().data() == block + 30);
  CAF_CHECK(x.first(30).view().data() == block);
}

CAF_TEST(parts are cut from both sides) {
  payload x{"0123456789"};
  CAF_CHECK_EQUAL(text_of(x.from(0)), "0123456789");
  CAF_CHECK_EQUAL(text_of(x.from(4)), "456789");
  CAF_CHECK_EQUAL(text_of(x.from(10)), "");
  CAF_CHECK_EQUAL(text_of(x.first(0)), "");
  CAF_CHECK_EQUAL(text_of(x.first(4)), "0123");
  CAF_CHECK_EQUAL(text_of(x.from(2).first(5).from(1)), "3456");
  CAF_CHECK_EQUAL(text_of(x.first(5).from(5)), "");
}

CAF_TEST(the first bytes are all of them when there are fewer) {
  payload x{"0123456789"};
  CAF_CHECK_EQUAL(text_of(x.first(11)), "0123456789");
  CAF_CHECK_EQUAL(text_of(x.from(7).first(SIZE_MAX)), "789");
}

CAF_TEST(every part is what a string gives) {
  const std::string bytes = "the quick brown fox";
  payload x{bytes};
  for (size_t skip = 0; skip <= bytes.size(); ++skip)
    for (size_t length = 0; length <= bytes.size() + 1; ++length)
      CAF_REQUIRE_EQUAL(text_of(x.from(skip).first(length)), bytes.substr(skip, length));
}

CAF_TEST(a part outlives what it was cut from) {
  payload part;
  {
    payload whole{std::string(1'000, 'a') + "end"};
    part = whole.from(1'000);
  }
  CAF_CHECK_EQUAL(text_of(part), "end");
}

CAF_TEST(payloads are equal when their bytes are) {
  CAF_CHECK(payload{"abc"} == payload{"abc"});
  CAF_CHECK(payload{"xabc"}.from(1) == payload{"abcx"}.first(3));
  CAF_CHECK(!(payload{"abc"} == payload{"abd"}));
  CAF_CHECK(!(payload{"abc"} == payload{"ab"}));
}

CAF_TEST(a log line shows the size and never the bytes) {
  CAF_CHECK_EQUAL(to_string(payload{"secret"}), "payload(6)");
  CAF_CHECK_EQUAL(caf::deep_to_string(payload{"secret"}.from(2)), "payload(4)");
}
