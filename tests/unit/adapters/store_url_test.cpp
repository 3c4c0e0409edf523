#define CAF_SUITE adapters.store_url

#include "adapters/store_url.hpp"

#include "adapters/ports.hpp"

#include "tests/support/test.hpp"

using namespace segue;

namespace {

/// Everything of it, e.g. `redis ada:secret@host:1/path x=1`.
std::string parsed(const std::string& text) {
  auto x = parse_store_url(text);
  auto all = x.scheme + " " + x.user + ":" + x.password + "@" + x.host + ":" + std::to_string(x.port) + "/" + x.path;
  for (const auto& [name, value] : x.query)
    all += " " + name + "=" + value;
  return all;
}

template <class F>
std::string refusal(F f) {
  try {
    f();
    return "accepted";
  } catch (const adapter_error& e) {
    CAF_CHECK_EQUAL(e.code(), ec::invalid_argument);
    return e.what();
  }
}

} // namespace

CAF_TEST(a URL is taken apart) {
  CAF_CHECK_EQUAL(parsed("redis://ada:secret@example.com:6380/3?prefix=a:&durability=always"),
      "redis ada:secret@example.com:6380/3 durability=always prefix=a:");
  CAF_CHECK_EQUAL(parsed("postgresql://ada:secret@db/segue"), "postgresql ada:secret@db:0/segue");
  CAF_CHECK_EQUAL(parsed("s3://key:secret@bucket/a/b/c?endpoint=http://127.0.0.1:9000"),
      "s3 key:secret@bucket:0/a/b/c endpoint=http://127.0.0.1:9000");
}

CAF_TEST(what is left out is empty) {
  CAF_CHECK_EQUAL(parsed("redis://host"), "redis :@host:0/");
  CAF_CHECK_EQUAL(parsed("redis://host/"), "redis :@host:0/");
  CAF_CHECK_EQUAL(parsed("redis://ada@host"), "redis ada:@host:0/");
  CAF_CHECK_EQUAL(parsed("redis://:secret@host"), "redis :secret@host:0/");
  CAF_CHECK_EQUAL(parsed("redis://host?"), "redis :@host:0/");
}

CAF_TEST(hosts may be addresses) {
  CAF_CHECK_EQUAL(parsed("redis://127.0.0.1:1"), "redis :@127.0.0.1:1/");
  CAF_CHECK_EQUAL(parsed("redis://[::1]:6379/0"), "redis :@[::1]:6379/0");
}

CAF_TEST(what is encoded is decoded once) {
  CAF_CHECK_EQUAL(parsed("redis://a%40b:p%3a%2F%3F%23%40%25@host"), "redis a@b:p:/?#@%@host:0/");
  CAF_CHECK_EQUAL(parsed("redis://ada:%2525@host"), "redis ada:%25@host:0/");
  CAF_CHECK_EQUAL(parsed("s3://k:s@bucket/caf%C3%A9/a%20b"), "s3 k:s@bucket:0/caf\xc3\xa9/a b");
  CAF_CHECK_EQUAL(parsed("s3://bucket?a%26b=c%3Dd%26e"), "s3 :@bucket:0/ a&b=c=d&e");
}

CAF_TEST(a plus sign of a secret stays one) {
  CAF_CHECK_EQUAL(parsed("s3://key:a+b@bucket?x=c+d"), "s3 key:a+b@bucket:0/ x=c+d");
}

CAF_TEST(parameters may have no value or hold equals signs) {
  CAF_CHECK_EQUAL(parsed("redis://host?a&b=&c=d=e&&a=2"), "redis :@host:0/ = a=2 b= c=d=e");
}

CAF_TEST(a parameter is taken once and what is left was not known) {
  auto x = parse_store_url("redis://host?prefix=a&tls=1");
  CAF_CHECK_EQUAL(x.take("prefix", "standard"), "a");
  CAF_CHECK_EQUAL(x.take("prefix", "standard"), "standard");
  CAF_CHECK_EQUAL(x.take("other"), "");
  CAF_CHECK_EQUAL(refusal([&] { x.expect_nothing_else("prefix and other"); }),
      "redis: there is no parameter \"tls\"; there are prefix and other");
  x.take("tls");
  CAF_CHECK_EQUAL(refusal([&] { x.expect_nothing_else("prefix"); }), "accepted");
}

CAF_TEST(what is no URL is refused) {
  for (const char* text : {"", "redis", "redis:", "redis://", "://host", "redis://host:port", "redis://host:65536",
           "redis://host:-1", "redis://ho st", "redis://[::1", "red is://host", "redis://host\n"}) {
    CAF_MESSAGE(text);
    CAF_CHECK(refusal([&] { parse_store_url(text); }) != "accepted");
  }
}

CAF_TEST(a refusal does not show the password) {
  for (const char* text : {"redis://ada:secret@host:port", "redis://ada:sec/ret@host", "redis://:secret@ho st",
           "redis://ada:se@cret@host:port", "redis://secret@host:port", "red is://ada:secret@host"}) {
    auto said = refusal([&] { parse_store_url(text); });
    CAF_MESSAGE(said);
    CAF_CHECK(said != "accepted");
    for (const char* part : {"secret", "cret", "sec", "ret"})
      CAF_CHECK_EQUAL(said.find(part), std::string::npos);
  }
}

CAF_TEST(a URL is shown without user and password) {
  CAF_CHECK_EQUAL(redacted("redis://ada:secret@host:6379/0?prefix=a:"), "redis://***@host:6379/0?prefix=a:");
  CAF_CHECK_EQUAL(redacted("s3://key:secret@bucket"), "s3://***@bucket");
  CAF_CHECK_EQUAL(redacted("redis://:secret@host"), "redis://***@host");
  CAF_CHECK_EQUAL(redacted("redis://ada@host"), "redis://***@host");
}

CAF_TEST(what has nothing secret is shown as it is) {
  for (const char* text : {"", "memory:", "rocksdb:", "sqlite::memory:", "file:/srv/objects", "redis://host:1/0?prefix=a:",
           "http://127.0.0.1:9000/generate", "synth:"})
    CAF_CHECK_EQUAL(redacted(text), text);
}

CAF_TEST(no sign of a password gives it away) {
  for (const char* password : {"secret@", "@secret", "sec@ret", "sec/ret", "sec?ret", "sec#ret", "sec:ret", "sec%40ret",
           "sec://ret", "://secret", "sec\nret", "sec ret", "secret\\", "[secret]", "s\xc3\xa9""cret"}) {
    auto shown = redacted("redis://ada:" + std::string{password} + "@host:1/0?prefix=a:");
    CAF_CHECK_EQUAL(shown, "redis://***@host:1/0?prefix=a:");
  }
}

CAF_TEST(a URL within a URL hides both secrets) {
  auto shown = redacted("s3://key:secret@bucket?endpoint=http://ada:hidden@host:9000");
  CAF_CHECK_EQUAL(shown, "s3://***@host:9000");
}

// What an operator mistyped is put into an error, and with it into the log.
CAF_TEST(a URL without its slashes hides them as well) {
  for (const char* text : {"redis:ada:secret@host", "redis:/ada:secret@host/0", "postgresql:ada:secret@host/segue", "ada:secret@host"}) {
    CAF_MESSAGE(redacted(text));
    CAF_CHECK_EQUAL(redacted(text).find("secret"), std::string::npos);
  }
}
