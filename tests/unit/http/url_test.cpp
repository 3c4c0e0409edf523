#define CAF_SUITE http.url

#include "http/url.hpp"

#include <random>

#include "tests/support/test.hpp"

using namespace segue::http;

namespace {

/// Segments in brackets, then parameters, e.g. `[a][b] x=1 y=`; or `none`.
std::string parsed(std::string_view target) {
  auto x = parse_url(target);
  if (!x)
    return "none";
  auto text = x->host;
  for (const auto& segment : x->segments)
    text += "[" + segment + "]";
  for (const auto& [key, value] : x->query)
    text += " " + key + "=" + value;
  return text;
}

} // namespace

CAF_TEST(a path is taken apart at its slashes) {
  CAF_CHECK_EQUAL(parsed("/"), "");
  CAF_CHECK_EQUAL(parsed("/v1"), "[v1]");
  CAF_CHECK_EQUAL(parsed("/v1/generations/x"), "[v1][generations][x]");
  CAF_CHECK_EQUAL(parsed("/v1/generations/"), "[v1][generations][]");
  CAF_CHECK_EQUAL(parsed("/a//b"), "[a][][b]");
}

CAF_TEST(a target may name its server as proxies are asked) {
  CAF_CHECK_EQUAL(parsed("http://127.0.0.1:4437/a/b?x=1"), "127.0.0.1:4437[a][b] x=1");
  CAF_CHECK_EQUAL(parsed("https://segue.example"), "segue.example");
  CAF_CHECK_EQUAL(parsed("http://[::1]:80/a"), "[::1]:80[a]");
  CAF_CHECK_EQUAL(parsed("ftp://127.0.0.1/a"), "none");
  CAF_CHECK_EQUAL(parsed("http://"), "");
}

CAF_TEST(segments are decoded after they are cut) {
  CAF_CHECK_EQUAL(parsed("/a%20b"), "[a b]");
  CAF_CHECK_EQUAL(parsed("/a%2Fb/c"), "[a/b][c]");
  CAF_CHECK_EQUAL(parsed("/a%2fb"), "[a/b]");
  CAF_CHECK_EQUAL(parsed("/%3F%23%25"), "[?#%]");
  CAF_CHECK_EQUAL(parsed("/caf%C3%A9"), "[caf\xc3\xa9]");
  CAF_CHECK_EQUAL(parsed("/a%00b"), std::string("[a\0b]", 5));
  CAF_CHECK_EQUAL(parsed("/a%252Fb"), "[a%2Fb]");
  CAF_CHECK_EQUAL(parsed("/a+b"), "[a+b]");
}

CAF_TEST(dots are ordinary segments) {
  CAF_CHECK_EQUAL(parsed("/a/../b"), "[a][..][b]");
  CAF_CHECK_EQUAL(parsed("/a/./b"), "[a][.][b]");
  CAF_CHECK_EQUAL(parsed("/%2e%2e/a"), "[..][a]");
}

CAF_TEST(parameters keep their order and are decoded) {
  CAF_CHECK_EQUAL(parsed("/a?x=1&y=2&x=3"), "[a] x=1 y=2 x=3");
  CAF_CHECK_EQUAL(parsed("/a?x=a%20b"), "[a] x=a b");
  CAF_CHECK_EQUAL(parsed("/a?x=a+b"), "[a] x=a b");
  CAF_CHECK_EQUAL(parsed("/a?x=1%262"), "[a] x=1&2");
  CAF_CHECK_EQUAL(parsed("/a?x%3D=1=2"), "[a] x==1=2");
  CAF_CHECK_EQUAL(parsed("/a?x=/b?c"), "[a] x=/b?c");
}

CAF_TEST(a parameter without a value has an empty one) {
  CAF_CHECK_EQUAL(parsed("/a?x"), "[a] x=");
  CAF_CHECK_EQUAL(parsed("/a?x="), "[a] x=");
  CAF_CHECK_EQUAL(parsed("/a?x&y=1"), "[a] x= y=1");
}

CAF_TEST(what is no target is refused) {
  for (const char* target : {"", "a", "*", "?x=1", "localhost/a", "http:/a", "http://a@localhost/a", "http://localhost:80a/b", "/a b", "/a#b", "/%", "/%2", "/%zz", "/a?x=%",
           "/a?x=%g0", "/\"", "/<", "/a\\b", "/caf\xc3\xa9", "/a?x=\xff", "/a\n"}) {
    CAF_MESSAGE(target);
    CAF_CHECK_EQUAL(parsed(target), "none");
  }
}

CAF_TEST(a parameter is found by its exact name) {
  auto x = parse_url("/a?offset=1&live=&offset=2&flag");
  CAF_REQUIRE(x.has_value());
  CAF_CHECK_EQUAL(x->find("offset").value_or("none"), "1");
  CAF_CHECK_EQUAL(x->find("live").value_or("none"), "");
  CAF_CHECK_EQUAL(x->find("flag").value_or("none"), "");
  CAF_CHECK(!x->find("Offset"));
  CAF_CHECK(!x->find(""));
  CAF_CHECK_EQUAL(x->count("offset"), 2u);
  CAF_CHECK_EQUAL(x->count("live"), 1u);
  CAF_CHECK_EQUAL(x->count("limit"), 0u);
}

CAF_TEST(any text is parsed or refused) {
  std::mt19937 dice{3};
  const std::string letters = "/%?&=+#:@.0aF \\";
  for (int i = 0; i < 20'000; ++i) {
    std::string target = dice() % 4 == 0 ? "" : "/";
    for (auto n = dice() % 20; n > 0; --n)
      target += dice() % 8 == 0 ? static_cast<char>(dice()) : letters[dice() % letters.size()];
    if (auto x = parse_url(target); x && !target.starts_with('/'))
      CAF_ERROR("accepted: " << target);
  }
}
