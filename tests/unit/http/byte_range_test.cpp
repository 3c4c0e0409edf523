#define CAF_SUITE http.byte_range

#include "http/byte_range.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/support/test.hpp"

using namespace segue::http;

namespace {

/// `whole`, `unsatisfiable`, or the part as `first-last`.
std::string judged(std::string_view header, uint64_t length) {
  auto verdict = judge_range(header, length);
  if (verdict.what == range_verdict::kind::whole)
    return "whole";
  if (verdict.what == range_verdict::kind::unsatisfiable)
    return "unsatisfiable";
  return std::to_string(verdict.range.first) + "-" + std::to_string(verdict.range.last);
}

} // namespace

CAF_TEST(a range counts its last byte) {
  CAF_CHECK_EQUAL((byte_range{0, 0}.size()), 1u);
  CAF_CHECK_EQUAL((byte_range{100, 199}.size()), 100u);
}

CAF_TEST(a range from and to is sent as it is or up to the end) {
  CAF_CHECK_EQUAL(judged("bytes=0-0", 100), "0-0");
  CAF_CHECK_EQUAL(judged("bytes=0-99", 100), "0-99");
  CAF_CHECK_EQUAL(judged("bytes=10-19", 100), "10-19");
  CAF_CHECK_EQUAL(judged("bytes=99-99", 100), "99-99");
  CAF_CHECK_EQUAL(judged("bytes=90-100", 100), "90-99");
  CAF_CHECK_EQUAL(judged("bytes=0-18446744073709551615", 100), "0-99");
  CAF_CHECK_EQUAL(judged("bytes=007-008", 100), "7-8");
}

CAF_TEST(an open range goes to the end) {
  CAF_CHECK_EQUAL(judged("bytes=0-", 100), "0-99");
  CAF_CHECK_EQUAL(judged("bytes=99-", 100), "99-99");
}

CAF_TEST(a suffix is the last bytes or all there are) {
  CAF_CHECK_EQUAL(judged("bytes=-1", 100), "99-99");
  CAF_CHECK_EQUAL(judged("bytes=-100", 100), "0-99");
  CAF_CHECK_EQUAL(judged("bytes=-101", 100), "0-99");
  CAF_CHECK_EQUAL(judged("bytes=-18446744073709551615", 100), "0-99");
}

CAF_TEST(a range beyond the end is unsatisfiable) {
  CAF_CHECK_EQUAL(judged("bytes=100-", 100), "unsatisfiable");
  CAF_CHECK_EQUAL(judged("bytes=100-100", 100), "unsatisfiable");
  CAF_CHECK_EQUAL(judged("bytes=18446744073709551615-", 100), "unsatisfiable");
  CAF_CHECK_EQUAL(judged("bytes=-0", 100), "unsatisfiable");
}

CAF_TEST(nothing can be taken from empty content) {
  for (const char* header : {"bytes=0-", "bytes=0-0", "bytes=-1", "bytes=-0", "bytes=5-9"})
    CAF_CHECK_EQUAL(judged(header, 0), "unsatisfiable");
}

CAF_TEST(a malformed range is ignored) {
  for (const char* header :
      {"", "bytes", "bytes=", "bytes=-", "bytes=5", "bytes=a-b", "bytes=1-b", "bytes=a-1", "bytes=1--2", "bytes=--1",
          "bytes=-1-2", "bytes=1-2-3", "bytes=+1-2", "bytes=1.5-2", "bytes=0x1-2", "bytes= 1-2", "bytes=1 -2",
          "bytes=1-2 ", "bytes =1-2", " bytes=1-2", "bytes:1-2", "1-2", "=1-2", "-", "bytes=20-10", "bytes=1-0"}) {
    CAF_MESSAGE(header);
    CAF_CHECK_EQUAL(judged(header, 100), "whole");
  }
}

CAF_TEST(other units and several ranges are ignored) {
  for (const char* header : {"frames=0-1", "items=0-", "bytesx=0-1", "bytes=0-1,5-6", "bytes=0-1,", "bytes=0-,-1"})
    CAF_CHECK_EQUAL(judged(header, 100), "whole");
}

CAF_TEST(any satisfiable range lies inside and holds what was asked for) {
  std::mt19937_64 dice{1};
  for (int i = 0; i < 5'000; ++i) {
    auto length = (dice() >> (dice() % 64)) | 1;
    auto near = [&] {
      return dice() % 4 == 0 ? dice() >> (dice() % 64) : dice() % 2 == 0 ? dice() % length : dice() % 50;
    };
    auto first = near();
    auto last = near();
    auto kind = dice() % 3;
    auto header = "bytes=" + (kind == 2 ? "" : std::to_string(first)) + "-" + (kind == 1 ? "" : std::to_string(last));
    auto verdict = judge_range(header, length);
    std::string expected;
    if (kind == 2)
      expected = last == 0 ? "unsatisfiable"
                           : std::to_string(last >= length ? 0 : length - last) + "-" + std::to_string(length - 1);
    else if (kind == 0 && last < first)
      expected = "whole";
    else if (first >= length)
      expected = "unsatisfiable";
    else
      expected = std::to_string(first) + "-" + std::to_string(kind == 1 ? length - 1 : std::min(last, length - 1));
    CAF_MESSAGE(header << " of " << length);
    CAF_REQUIRE_EQUAL(judged(header, length), expected);
    if (verdict.what == range_verdict::kind::part) {
      CAF_REQUIRE(verdict.range.first <= verdict.range.last && verdict.range.last < length);
      CAF_REQUIRE(verdict.range.size() <= length);
    }
  }
}

CAF_TEST(no text whatever makes a range that lies outside) {
  std::minstd_rand dice{7};
  const std::string letters = "0123456789-=,bytes ";
  for (int i = 0; i < 20'000; ++i) {
    std::string header = dice() % 4 == 0 ? "" : "bytes=";
    for (auto n = dice() % 12; n > 0; --n)
      header += letters[dice() % letters.size()];
    uint64_t length = dice() % 200;
    auto verdict = judge_range(header, length);
    if (verdict.what == range_verdict::kind::part
        && !(verdict.range.first <= verdict.range.last && verdict.range.last < length))
      CAF_ERROR("outside: " << header << " of " << length);
  }
}
