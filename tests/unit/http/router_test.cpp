#define CAF_SUITE http.router

#include "http/router.hpp"

#include "http/routes.hpp"

#include <algorithm>
#include <set>

#include "tests/support/test.hpp"

using namespace segue::http;

namespace {

using segments = std::vector<std::string>;

const router table{{
    {"GET", "/", {}, segue::role::nobody, "page"},
    {"GET", "/web/{name}", {}, segue::role::nobody, "asset"},
    {"POST", "/v1/things", {}, segue::role::nobody, "make"},
    {"GET", "/v1/things", {}, segue::role::nobody, "list"},
    {"GET", "/v1/things/{id}", {}, segue::role::nobody, "show"},
    {"DELETE", "/v1/things/{id}", {}, segue::role::nobody, "remove"},
    {"GET", "/v1/things/special", {}, segue::role::nobody, "special"},
    {"GET", "/v1/users/{user}/things/{id}", {}, segue::role::nobody, "of a user"},
    {"GET", "/v1/stream/{path*}", {}, segue::role::nobody, "stream"},
    {"PUT", "/v1/stream/{path*}", {}, segue::role::nobody, "write"},
}};

/// Purpose of what was found and the parameters; or what is allowed.
std::string found(const std::string& method, const segments& path) {
  auto match = table.find(method, path);
  if (!match.found)
    return "none; " + match.allowed;
  auto text = match.found->purpose;
  for (const auto& [name, value] : match.values)
    text += " " + name + "=" + value;
  return text;
}

} // namespace

CAF_TEST(literal segments match themselves) {
  CAF_CHECK_EQUAL(found("GET", {"v1", "things"}), "list");
  CAF_CHECK_EQUAL(found("POST", {"v1", "things"}), "make");
  CAF_CHECK_EQUAL(found("GET", {"v1"}), "none; ");
  CAF_CHECK_EQUAL(found("GET", {"v2", "things"}), "none; ");
  CAF_CHECK_EQUAL(found("GET", {"v1", "Things"}), "none; ");
  CAF_CHECK_EQUAL(found("GET", {"v1", "thing"}), "none; ");
}

CAF_TEST(what is asked about all paths makes none of its own) {
  const router asked{{
      {"GET", "/v1/things", {}, segue::role::nobody, "list"},
      {"OPTIONS", "/v1/{path*}", {}, segue::role::nobody, "preflight"},
      {"PUT", "/v1/later", {}, segue::role::nobody, "make"},
  }};
  CAF_CHECK(asked.find("OPTIONS", {"v1", "things"}).found);
  CAF_CHECK_EQUAL(asked.find("PATCH", {"v1", "things"}).allowed, "GET, HEAD, OPTIONS");
  CAF_CHECK_EQUAL(asked.find("PATCH", {"v1", "later"}).allowed, "PUT, OPTIONS");
  CAF_CHECK_EQUAL(asked.find("PATCH", {"v1", "nothing"}).allowed, "");
}

CAF_TEST(the root is an empty path) {
  CAF_CHECK_EQUAL(found("GET", {}), "page");
  CAF_CHECK_EQUAL(found("GET", {""}), "page");
  CAF_CHECK_EQUAL(found("GET", {"", ""}), "none; ");
}

CAF_TEST(a parameter takes any one segment) {
  CAF_CHECK_EQUAL(found("GET", {"v1", "things", "7"}), "show id=7");
  CAF_CHECK_EQUAL(found("GET", {"v1", "things", "{id}"}), "show id={id}");
  CAF_CHECK_EQUAL(found("GET", {"v1", "things", "a/b c"}), "show id=a/b c");
  CAF_CHECK_EQUAL(found("GET", {"v1", "users", "u", "things", "7"}), "of a user user=u id=7");
  CAF_CHECK_EQUAL(found("GET", {"v1", "things", "7", "more"}), "none; ");
}

CAF_TEST(a slash at the end is another path) {
  CAF_CHECK_EQUAL(found("POST", {"v1", "things", ""}), "none; GET, HEAD, DELETE");
  CAF_CHECK_EQUAL(found("GET", {"v1", "things", "7", ""}), "none; ");
}

CAF_TEST(the rest takes one segment or more) {
  CAF_CHECK_EQUAL(found("GET", {"v1", "stream", "a"}), "stream path=a");
  CAF_CHECK_EQUAL(found("GET", {"v1", "stream", "a", "b", "c"}), "stream path=a/b/c");
  CAF_CHECK_EQUAL(found("GET", {"v1", "stream", "a", "", "c"}), "stream path=a//c");
  CAF_CHECK_EQUAL(found("GET", {"v1", "stream"}), "none; ");
}

CAF_TEST(the first route that matches is taken) {
  CAF_CHECK_EQUAL(found("GET", {"v1", "things", "special"}), "show id=special");
}

CAF_TEST(a handler for GET also answers HEAD) {
  CAF_CHECK_EQUAL(found("HEAD", {"v1", "things", "7"}), "show id=7");
  CAF_CHECK_EQUAL(found("HEAD", {}), "page");
}

CAF_TEST(a path that is known by other methods says which) {
  CAF_CHECK_EQUAL(found("PUT", {"v1", "things"}), "none; POST, GET, HEAD");
  CAF_CHECK_EQUAL(found("PATCH", {"v1", "things", "7"}), "none; GET, HEAD, DELETE");
  CAF_CHECK_EQUAL(found("POST", {"v1", "stream", "a"}), "none; GET, HEAD, PUT");
  CAF_CHECK_EQUAL(found("get", {"v1", "things"}), "none; POST, GET, HEAD");
  CAF_CHECK_EQUAL(found("", {"v1", "things"}), "none; POST, GET, HEAD");
}

CAF_TEST(what is allowed is told only when there is no match) {
  auto match = table.find("GET", {"v1", "things", "7"});
  CAF_CHECK_EQUAL(match.allowed, "");
}

CAF_TEST(every route of the server is reached by its own pattern) {
  const router real{routes()};
  CAF_CHECK(real.all().size() > 10);
  std::set<std::string> seen;
  for (const auto& x : real.all()) {
    CAF_MESSAGE(x.method << " " << x.pattern);
    CAF_CHECK(x.answer != nullptr);
    CAF_CHECK(!x.purpose.empty());
    CAF_CHECK(seen.insert(x.method + " " + x.pattern).second);
    segments path;
    for (size_t at = 1; at <= x.pattern.size();) {
      auto end = std::min(x.pattern.find('/', at), x.pattern.size());
      path.push_back(x.pattern.substr(at, end - at));
      at = end + 1;
    }
    auto match = real.find(x.method, path);
    CAF_CHECK(match.found == &x);
    CAF_CHECK_EQUAL(match.values.size(), static_cast<size_t>(std::count(x.pattern.begin(), x.pattern.end(), '{')));
  }
}
