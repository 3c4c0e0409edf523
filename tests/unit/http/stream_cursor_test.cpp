#define CAF_SUITE http.stream_cursor

#include "http/stream_cursor.hpp"

#include "tests/support/test.hpp"

using namespace segue::http;

namespace {

constexpr int64_t epoch_ms = 1'728'432'000'000; // 2024-10-09T00:00:00Z

} // namespace

CAF_TEST(a cursor is the number of the interval of twenty seconds) {
  CAF_CHECK_EQUAL(next_cursor("", epoch_ms, 0), "0");
  CAF_CHECK_EQUAL(next_cursor("", epoch_ms + 19'999, 0), "0");
  CAF_CHECK_EQUAL(next_cursor("", epoch_ms + 20'000, 0), "1");
  CAF_CHECK_EQUAL(next_cursor("nonsense", epoch_ms + 20'000'000, 5), "1000");
  CAF_CHECK_EQUAL(next_cursor("999", epoch_ms + 20'000'000, 5), "1000");
}

CAF_TEST(who shows the current cursor gets a greater one by up to an hour) {
  CAF_CHECK_EQUAL(next_cursor("1000", epoch_ms + 20'000'000, 0), "1001");
  CAF_CHECK_EQUAL(next_cursor("1000", epoch_ms + 20'000'000, 179), "1180");
  CAF_CHECK_EQUAL(next_cursor("1000", epoch_ms + 20'000'000, 180), "1001");
  CAF_CHECK_EQUAL(next_cursor("5000", epoch_ms + 20'000'000, 1), "5002");
  CAF_CHECK_EQUAL(next_cursor("18446744073709551615", epoch_ms + 20'000'000, 5), "1000"); // no cursor of ours
}
