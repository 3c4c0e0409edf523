// Whether two URLs mean one place.
#define CAF_SUITE adapters.store_place

#include "adapters/store_place.hpp"

#include "tests/support/test.hpp"

using namespace segue;

namespace {

bool same(const std::string& a, const std::string& b) { return place_of(a) == place_of(b); }

} // namespace

CAF_TEST(what each tenant has in its folder or in memory is of nobody else) {
  for (const auto* url : {"rocksdb:", "memory:", "none:", "sqlite:", "sqlite::memory:", "file:"})
    CAF_CHECK_EQUAL(place_of(url), "");
}

CAF_TEST(of redis the database and the prefix count and who uses it does not) {
  CAF_CHECK(same("redis://a:p@h/0", "redis://b:q@h:6379/0"));
  CAF_CHECK(same("redis://a:p@h", "redis://h:6379/00?prefix=segue:"));
  CAF_CHECK(same("redis://H/1?durability=always", "redis://h/1?durability=trusted"));
  CAF_CHECK(same("redis://localhost/1", "redis://127.0.0.1/1"));
  CAF_CHECK(!same("redis://h/0", "redis://h/1"));
  CAF_CHECK(!same("redis://h/0", "redis://h:6380/0"));
  CAF_CHECK(!same("redis://h/0?prefix=a:", "redis://h/0?prefix=b:"));
  CAF_CHECK(!same("redis://h/0", "redis://i/0"));
}

CAF_TEST(of postgresql the database and the schema count) {
  CAF_CHECK(same("postgresql://a:p@h/d", "postgresql://b:q@h:5432/d?schema=segue"));
  CAF_CHECK(same("postgresql://d:p@h", "postgresql://b:q@h/d?sslmode=require"));
  CAF_CHECK(!same("postgresql://h/d", "postgresql://h/e"));
  CAF_CHECK(!same("postgresql://h/d?schema=a", "postgresql://h/d?schema=b"));
  CAF_CHECK(!same("postgresql://h/d", "postgresql://h:5433/d"));
}

CAF_TEST(of s3 the endpoint and the bucket and the prefix count) {
  CAF_CHECK(same("s3://A:S@bucket/p?endpoint=http://h", "s3://B:T@bucket/p/?endpoint=http://h:80&style=path"));
  CAF_CHECK(same("s3://A:S@bucket", "s3://B:T@bucket?region=eu-west-1&endpoint=https://s3.eu-west-1.amazonaws.com"));
  CAF_CHECK(!same("s3://A:S@bucket/p", "s3://A:S@bucket/q"));
  CAF_CHECK(!same("s3://A:S@bucket/p", "s3://A:S@other/p"));
  CAF_CHECK(!same("s3://A:S@bucket/p", "s3://A:S@bucket/p?endpoint=https://h"));
}

CAF_TEST(a folder and a file are the same however they are written) {
  CAF_CHECK(same("file:/a/b", "file:///a/b/"));
  CAF_CHECK(same("file:/a/b", "file:/a/c/../b"));
  CAF_CHECK(!same("file:/a/b", "file:/a/c"));
  CAF_CHECK(same("sqlite:/a/b", "sqlite:/a/./b"));
  CAF_CHECK(!same("sqlite:/a/b", "sqlite:/a/c"));
}

CAF_TEST(a URL that cannot be read is a place by itself) {
  CAF_CHECK_EQUAL(place_of("redis://h:notaport/0"), "redis://h:notaport/0");
  CAF_CHECK_EQUAL(place_of("s3://A:S@b?endpoint=::"), "s3://A:S@b?endpoint=::");
}

CAF_TEST(only the folder in the data of a process is its own) {
  CAF_CHECK(is_own_folder("file:"));
  for (const auto* url : {"file:/shared", "file:///shared", "s3://A:S@b"})
    CAF_CHECK(!is_own_folder(url));
}

CAF_TEST(a place names nobody who uses it) {
  for (const auto* url : {"redis://ann:hush@h/0", "postgresql://ann:hush@h/d", "s3://ann:hush@b/p"})
    CAF_CHECK_EQUAL(place_of(url).find("hush") + place_of(url).find("ann"), 2 * std::string::npos);
}
