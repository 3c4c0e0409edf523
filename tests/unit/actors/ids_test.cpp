#define CAF_SUITE actors.ids

#include "actors/ids.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/support/test.hpp"

using namespace segue;

namespace {

// Positions of every size, the ends and the places where a digit is added among them.
std::vector<position> some_positions() {
  std::vector<position> result{0, 1, 9, 10, 15, 16, 255, 256, UINT64_MAX - 1, UINT64_MAX};
  std::mt19937_64 dice{20'261'121};
  for (int i = 0; i < 5'000; ++i)
    result.push_back(dice() >> (dice() % 64));
  return result;
}

const std::string digits = "0123456789abcdef";

} // namespace

CAF_TEST(an offset is sixteen zeros and the position in sixteen hexadecimal digits) {
  CAF_CHECK_EQUAL(format_offset(0), "0000000000000000_0000000000000000");
  CAF_CHECK_EQUAL(format_offset(3'840), "0000000000000000_0000000000000f00");
  CAF_CHECK_EQUAL(format_offset(UINT64_MAX), "0000000000000000_ffffffffffffffff");
}

CAF_TEST(offsets sort like positions) {
  auto positions = some_positions();
  size_t wrong = 0;
  for (size_t i = 1; i < positions.size(); ++i) {
    auto a = positions[i - 1];
    auto b = positions[i];
    if ((format_offset(a) < format_offset(b)) != (a < b) || (format_offset(a) == format_offset(b)) != (a == b))
      ++wrong;
  }
  CAF_CHECK_EQUAL(wrong, 0u);
  std::sort(positions.begin(), positions.end());
  std::vector<std::string> offsets;
  for (auto at : positions)
    offsets.push_back(format_offset(at));
  CAF_CHECK(std::is_sorted(offsets.begin(), offsets.end()));
}

CAF_TEST(an offset is read back as its position) {
  size_t wrong = 0;
  for (auto at : some_positions()) {
    auto query = parse_offset(format_offset(at));
    if (!query || query->from != offset_query::kind::at || query->at != at)
      ++wrong;
  }
  CAF_CHECK_EQUAL(wrong, 0u);
}

CAF_TEST(minus one is the start and now is the end) {
  auto start = parse_offset("-1");
  CAF_REQUIRE(start.has_value());
  CAF_CHECK(start->from == offset_query::kind::start);
  auto now = parse_offset("now");
  CAF_REQUIRE(now.has_value());
  CAF_CHECK(now->from == offset_query::kind::now);
}

CAF_TEST(anything else is no offset) {
  const std::string good = format_offset(0xabc);
  const std::vector<std::string> texts{"", "0", "1", "-2", "-1 ", " -1", "+1", "Now", "NOW", "now ", good.substr(1),
      good + "0", "0" + good, " " + good, good + " ", good + '\0', good.substr(0, 16), good.substr(17),
      std::string(33, '0'), "0000000000000000-0000000000000abc", "0000000000000000_0000000000000ABC",
      "0000000000000000_000000000000000g", "0000000000000000_-000000000000001", "0000000000000000_+000000000000001",
      "0000000000000000_0x00000000000001", "0000000000000001_0000000000000abc", "0000000000000000_               1"};
  for (const auto& text : texts) {
    CAF_MESSAGE("text: " << text);
    CAF_CHECK(!parse_offset(text));
  }
}

CAF_TEST(an offset with any one letter changed is another offset or none) {
  const auto good = format_offset(0x0123'4567'89ab'cdef);
  size_t wrong = 0;
  for (size_t i = 0; i < good.size(); ++i)
    for (int c = 0; c < 256; ++c) {
      auto text = good;
      text[i] = static_cast<char>(c);
      auto query = parse_offset(text);
      bool allowed = i > 16 ? digits.find(text[i]) != std::string::npos : text == good;
      if (query.has_value() != allowed || (query && format_offset(query->at) != text))
        ++wrong;
    }
  CAF_CHECK_EQUAL(wrong, 0u);
}

CAF_TEST(fresh uuids are lower case and of version 4 and differ) {
  std::set<std::string> seen;
  for (int i = 0; i < 1'000; ++i) {
    auto id = new_uuid();
    CAF_REQUIRE(is_uuid(id));
    CAF_REQUIRE_EQUAL(id[14], '4');
    CAF_REQUIRE(std::string{"89ab"}.find(id[19]) != std::string::npos);
    seen.insert(id);
  }
  CAF_CHECK_EQUAL(seen.size(), 1'000u);
}

CAF_TEST(only a lower case uuid is a uuid) {
  const std::string good = "01234567-89ab-4cde-8f01-23456789abcd";
  CAF_CHECK(is_uuid(good));
  size_t wrong = 0;
  for (size_t i = 0; i < good.size(); ++i)
    for (int c = 0; c < 256; ++c) {
      auto text = good;
      text[i] = static_cast<char>(c);
      bool allowed = good[i] == '-' ? c == '-' : digits.find(text[i]) != std::string::npos;
      if (is_uuid(text) != allowed)
        ++wrong;
    }
  CAF_CHECK_EQUAL(wrong, 0u);
  CAF_CHECK(!is_uuid(""));
  CAF_CHECK(!is_uuid(good.substr(1)));
  CAF_CHECK(!is_uuid(good + "0"));
  CAF_CHECK(!is_uuid("{" + good + "}"));
  CAF_CHECK(!is_uuid("01234567-89AB-4CDE-8F01-23456789ABCD"));
}

CAF_TEST(times are written in UTC with milliseconds) {
  CAF_CHECK_EQUAL(format_time(0), "1970-01-01T00:00:00.000Z");
  CAF_CHECK_EQUAL(format_time(1), "1970-01-01T00:00:00.001Z");
  CAF_CHECK_EQUAL(format_time(1'999), "1970-01-01T00:00:01.999Z");
  CAF_CHECK_EQUAL(format_time(951'782'400'000), "2000-02-29T00:00:00.000Z");
  CAF_CHECK_EQUAL(format_time(1'795'255'200'000), "2026-11-21T10:00:00.000Z");
  CAF_CHECK_EQUAL(format_time(253'402'300'799'999), "9999-12-31T23:59:59.999Z");
}

CAF_TEST(the clock is the wall clock) {
  using namespace std::chrono;
  auto now = [] { return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count(); };
  auto before = now();
  auto read = unix_now_ms();
  CAF_CHECK(before <= read && read <= now());
}
