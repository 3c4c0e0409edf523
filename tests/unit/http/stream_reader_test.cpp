#define CAF_SUITE http.stream_reader

#include "http/stream_reader.hpp"

#include "tests/support/test.hpp"

using namespace segue;
using namespace segue::http;

namespace {

std::string resolved(const std::string& text, position tail) {
  auto at = resolve(*parse_offset(text), tail);
  return at ? std::to_string(*at) : "none";
}

} // namespace

CAF_TEST(an offset means a position up to the tail) {
  CAF_CHECK_EQUAL(resolved("-1", 100), "0");
  CAF_CHECK_EQUAL(resolved("-1", 0), "0");
  CAF_CHECK_EQUAL(resolved("now", 100), "100");
  CAF_CHECK_EQUAL(resolved("now", 0), "0");
  CAF_CHECK_EQUAL(resolved(format_offset(0), 0), "0");
  CAF_CHECK_EQUAL(resolved(format_offset(99), 100), "99");
  CAF_CHECK_EQUAL(resolved(format_offset(100), 100), "100");
}

CAF_TEST(an offset past the tail means nothing) {
  CAF_CHECK_EQUAL(resolved(format_offset(1), 0), "none");
  CAF_CHECK_EQUAL(resolved(format_offset(101), 100), "none");
  CAF_CHECK_EQUAL(resolved(format_offset(UINT64_MAX), UINT64_MAX - 1), "none");
}

CAF_TEST(a query without an offset begins at the start) {
  CAF_CHECK_EQUAL(resolve(offset_query{}, 7).value_or(99), 0u);
}

CAF_TEST(a bad offset is a bad request) {
  CAF_CHECK_EQUAL(bad_offset().status, 400u);
  CAF_CHECK_EQUAL(bad_offset().code, "bad_offset");
}
