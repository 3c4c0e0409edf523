#define CAF_SUITE adapters.s3.address

#include "adapters/s3/address.hpp"

#include "adapters/ports.hpp"

#include "tests/support/test.hpp"

using namespace segue;
using s3::parse_address;

namespace {

/// What stands in front of a key.
std::string base(const std::string& rest) {
  auto x = parse_address("s3://AK:SK@" + rest);
  return x.root + x.prefix;
}

std::string refusal(const std::string& url) {
  try {
    parse_address(url);
  } catch (const adapter_error& e) {
    CAF_CHECK_EQUAL(e.code(), ec::invalid_argument);
    return e.what();
  }
  return "nothing";
}

bool says(const std::string& text, const std::string& what) {
  CAF_MESSAGE(text);
  return text.find(what) != std::string::npos;
}

} // namespace

CAF_TEST(the bucket is in the path or in the host name) {
  CAF_CHECK_EQUAL(base("songs"), "https://songs.s3.us-east-1.amazonaws.com/");
  CAF_CHECK_EQUAL(base("songs?region=eu-west-1"), "https://songs.s3.eu-west-1.amazonaws.com/");
  CAF_CHECK_EQUAL(base("songs.of.mine"), "https://s3.us-east-1.amazonaws.com/songs.of.mine/");
  CAF_CHECK_EQUAL(base("songs?style=path"), "https://s3.us-east-1.amazonaws.com/songs/");
  CAF_CHECK_EQUAL(base("songs?endpoint=http://localhost:7480"), "http://localhost:7480/songs/");
  CAF_CHECK_EQUAL(base("songs?endpoint=http://localhost:7480/&style=virtual"), "http://songs.localhost:7480/");
  CAF_CHECK_EQUAL(base("songs?endpoint=http%3A%2F%2F127.0.0.1"), "http://127.0.0.1/songs/");
  CAF_CHECK_EQUAL(base("songs?endpoint=https://amazonaws.com.example.org"), "https://amazonaws.com.example.org/songs/");
}

CAF_TEST(a prefix stands in front of every key) {
  for (auto* rest : {"songs/a/b?endpoint=http://h", "songs/a/b/?endpoint=http://h"})
    CAF_CHECK_EQUAL(base(rest), "http://h/songs/a/b/");
  CAF_CHECK_EQUAL(base("songs/?endpoint=http://h"), "http://h/songs/");
}

CAF_TEST(keys are decoded and never shown) {
  auto x = parse_address("s3://AK%2F1:a%2Fb%2Bc%3Ad%40e@songs/p?endpoint=http://h&region=here-1");
  CAF_CHECK_EQUAL(x.access_key, "AK/1");
  CAF_CHECK_EQUAL(x.secret_key, "a/b+c:d@e");
  CAF_CHECK_EQUAL(x.bucket, "songs");
  CAF_CHECK_EQUAL(x.region, "here-1");
  CAF_CHECK_EQUAL(x.shown, "s3://***@songs/p?endpoint=http://h&region=here-1");
}

CAF_TEST(what is impossible is refused with what would be possible) {
  CAF_CHECK(says(refusal("s3://songs"), "s3://ACCESS:SECRET@BUCKET"));
  CAF_CHECK(says(refusal("s3://AK@songs"), "s3://ACCESS:SECRET@BUCKET"));
  CAF_CHECK(says(refusal("s3://AK:SK@so"), "3 to 63 letters"));
  CAF_CHECK(says(refusal("s3://AK:SK@so~ngs"), "3 to 63 letters"));
  CAF_CHECK(says(refusal("s3://AK:SK@songs:9000"), "endpoint=http://HOST:PORT"));
  CAF_CHECK(says(refusal("s3://AK:SK@songs/a//b"), "is not the key of an object"));
  CAF_CHECK(says(refusal("s3://AK:SK@songs?style=both"), "path or virtual"));
  CAF_CHECK(says(refusal("s3://AK:SK@songs?region="), "us-east-1"));
  CAF_CHECK(says(refusal("s3://AK:SK@songs?region=a:b"), "us-east-1"));
  CAF_CHECK(says(refusal("s3://AK:SK@songs?endpiont=http://h"), "endpoint, region and style"));
  for (auto* endpoint : {"h:1", "ftp://h", "http://h/path", "http://h?x=y", "http://user:word@h"})
    CAF_CHECK(refusal(std::string{"s3://AK:SK@songs?endpoint="} + endpoint) != "nothing");
}

CAF_TEST(a bucket keeps its name or is refused) {
  CAF_CHECK_EQUAL(base("Songs_1?endpoint=http://h"), "http://h/Songs_1/");
  CAF_CHECK(says(refusal("s3://AK:SK@2024?endpoint=http://h"), "a number")); // which would become 0.0.7.232
}

CAF_TEST(a secret that was not encoded is not shown either) {
  for (auto* secret : {"se/PRIVATE", "12/PRIVATE", "12?PRIVATE", "12#PRIVATE", "se@PRIVATE", "se?x=PRIVATE", "1/2@3/PRIVATE"}) {
    auto text = refusal(std::string{"s3://AKID:"} + secret + "@songs?endpoint=http://h");
    CAF_MESSAGE(text);
    CAF_CHECK_EQUAL(text.find("PRIVATE"), std::string::npos);
    CAF_CHECK_EQUAL(text.find("AKID"), std::string::npos);
  }
}
