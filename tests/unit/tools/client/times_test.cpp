#define CAF_SUITE tools.client.times

#include "tools/client/times.hpp"

#include "tests/support/test.hpp"

using namespace segue::client;

CAF_TEST(a time of the server is read to the second) {
  auto time = parse_utc("2026-01-01T12:00:00.999Z");
  CAF_REQUIRE(time.has_value());
  CAF_CHECK_EQUAL(*time, 1'767'268'800);
}

CAF_TEST(anything else is no time) {
  for (const auto* text : {"", "now", "2026-01-01", "2026-13-01T12:00:00Z"})
    CAF_CHECK(!parse_utc(text));
}

CAF_TEST(a span is told in the largest unit that says something) {
  CAF_CHECK_EQUAL(span_text(-5), "0 s");
  CAF_CHECK_EQUAL(span_text(59), "59 s");
  CAF_CHECK_EQUAL(span_text(60), "1 min");
  CAF_CHECK_EQUAL(span_text(3599), "59 min");
  CAF_CHECK_EQUAL(span_text(3600), "1 h");
  CAF_CHECK_EQUAL(span_text(47 * 3600), "47 h");
  CAF_CHECK_EQUAL(span_text(48 * 3600), "2 d");
}
