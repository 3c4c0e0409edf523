#define CAF_SUITE http.create_request

#include "http/create_request.hpp"

#include <map>

#include "tests/support/test.hpp"

using namespace segue;
using namespace segue::http;

namespace {

using headers = std::map<std::string, std::string>;

std::variant<creation, problem> read(const headers& given) {
  auto look_up = [&given](std::string_view name) {
    auto at = given.find(std::string{name});
    return at == given.end() ? std::string_view{} : std::string_view{at->second};
  };
  return read_creation(look_up, "a");
}

creation good(const headers& given) {
  auto x = read(given);
  CAF_REQUIRE(std::holds_alternative<creation>(x));
  return std::get<creation>(x);
}

/// The field that is to blame.
std::string blamed(const headers& given) {
  auto x = read(given);
  auto* wrong = std::get_if<problem>(&x);
  return wrong ? wrong->field : "";
}

/// Why it is refused.
std::string reason(const headers& given) {
  auto x = read(given);
  auto* wrong = std::get_if<problem>(&x);
  return wrong ? wrong->detail : "";
}

} // namespace

CAF_TEST(without headers it is bytes that stay open for ever) {
  auto x = good({});
  CAF_CHECK_EQUAL(x.wish.content_type, "application/octet-stream");
  CAF_CHECK_EQUAL(x.wish.ttl_s, -1);
  CAF_CHECK_EQUAL(x.wish.expires_at_ms, 0);
  CAF_CHECK(!x.wish.close);
  CAF_CHECK(!x.is_fork());
}

CAF_TEST(a time to live is a whole number as one writes it) {
  CAF_CHECK_EQUAL(good({{"stream-ttl", "0"}}).wish.ttl_s, 0);
  CAF_CHECK_EQUAL(good({{"stream-ttl", "3600"}}).wish.ttl_s, 3600);
  CAF_CHECK_EQUAL(good({{"stream-ttl", "9007199254740991"}}).wish.ttl_s, 9'007'199'254'740'991);
  CAF_CHECK(reason({{"stream-ttl", "9007199254740992"}}).find("from 0 to 2^53-1, without leading zeros") != std::string::npos);
  for (auto bad : {"", "9007199254740992", "00060", "+60", "-1", "60.5", "1e3", "abc", " 5", "99999999999999999999"})
    CAF_CHECK_EQUAL(blamed({{"stream-ttl", bad}}), "Stream-TTL");
}

CAF_TEST(an expiry is a time as in RFC 3339) {
  auto at = [](const char* text) { return good({{"stream-expires-at", text}}).wish.expires_at_ms; };
  CAF_CHECK_EQUAL(at("2027-01-31T12:00:00Z"), 1'801'396'800'000);
  CAF_CHECK_EQUAL(at("2027-01-31T13:00:00.250+01:00"), 1'801'396'800'250);
  CAF_CHECK_EQUAL(at("2027-01-31T12:00:00.1234567Z"), 1'801'396'800'123);
  CAF_CHECK(reason({{"stream-expires-at", "1970-01-01T00:00:00Z"}}).find("between 1970 and 9999") != std::string::npos);
  for (auto bad : {"", "not-a-time", "2027-02-30T00:00:00Z", "2027-01-31", "2027-01-31T12:00:00", "2027-01-31T24:00:00Z",
           "2027-01-31T12:00:00Z+1", "1801396800",
           "1970-01-01T00:00:00Z", "1969-12-31T23:59:59.5Z", "9999-12-31T23:59:59-00:01", "2027-01-31T12:00:00+24:00"})
    CAF_CHECK_EQUAL(blamed({{"stream-expires-at", bad}}), "Stream-Expires-At");
  CAF_CHECK_EQUAL(blamed({{"stream-ttl", "1"}, {"stream-expires-at", "2027-01-31T12:00:00Z"}}), "Stream-TTL");
  CAF_CHECK_EQUAL(blamed({{"stream-ttl", ""}, {"stream-expires-at", "2027-01-31T12:00:00Z"}}), "Stream-TTL");
}

CAF_TEST(a fork names its parent by path or URL) {
  CAF_CHECK_EQUAL(good({{"stream-forked-from", "/v1/stream/a/b%20c"}}).wish.forked_from, "a/b c");
  CAF_CHECK_EQUAL(good({{"stream-forked-from", "http://host:1/v1/stream/a"}}).wish.forked_from, "a");
  for (auto bad : {"", "a", "/v1/stream/", "/v1/generations/x", "http://host"})
    CAF_CHECK_EQUAL(blamed({{"stream-forked-from", bad}}), "Stream-Forked-From");
}

CAF_TEST(a fork takes the type of its parent unless it says one) {
  headers fork{{"stream-forked-from", "/v1/stream/p"}};
  CAF_CHECK_EQUAL(good(fork).wish.content_type, "");
  fork["content-type"] = "Text/Plain";
  CAF_CHECK_EQUAL(good(fork).wish.content_type, "text/plain");
}

CAF_TEST(where a fork begins is an offset and a number behind it) {
  headers fork{{"stream-forked-from", "/v1/stream/p"}};
  CAF_CHECK(!good(fork).fork_offset);
  fork["stream-fork-offset"] = format_offset(17);
  fork["stream-fork-sub-offset"] = "3";
  CAF_CHECK(good(fork).fork_offset == 17u);
  CAF_CHECK_EQUAL(good(fork).fork_sub_offset, 3u);
  for (auto bad : {"", "now", "-1", "17"})
    CAF_CHECK_EQUAL(blamed({{"stream-forked-from", "/v1/stream/p"}, {"stream-fork-offset", bad}}), "Stream-Fork-Offset");
  for (auto bad : {"", "-1", "03", "x", "9007199254740992"})
    CAF_CHECK_EQUAL(blamed({{"stream-forked-from", "/v1/stream/p"}, {"stream-fork-sub-offset", bad}}), "Stream-Fork-Sub-Offset");
  CAF_CHECK_EQUAL(blamed({{"stream-fork-sub-offset", "0"}}), "Stream-Forked-From");
  CAF_CHECK_EQUAL(blamed({{"stream-fork-offset", format_offset(0)}}), "Stream-Forked-From");
}
