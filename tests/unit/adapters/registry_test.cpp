// Which URLs can name an engine, without one being opened.
#define CAF_SUITE adapters.registry

#include "adapters/registry.hpp"

#include "adapters/ports.hpp"

#include "tests/support/test.hpp"

using namespace segue;

namespace {

std::string refusal(void (*check)(const std::string&), const std::string& url) {
  try {
    check(url);
  } catch (const adapter_error& e) {
    CAF_CHECK_EQUAL(e.code(), ec::invalid_argument);
    return e.what();
  }
  return "nothing";
}

void accepts(void (*check)(const std::string&), std::initializer_list<const char*> urls) {
  for (const auto* url : urls)
    CAF_CHECK_EQUAL(refusal(check, url), "nothing");
}

void refuses(void (*check)(const std::string&), std::initializer_list<std::pair<const char*, const char*>> urls) {
  for (const auto& [url, why] : urls) {
    auto said = refusal(check, url);
    CAF_MESSAGE(url << ": " << said);
    CAF_CHECK(said.find(why) != std::string::npos);
  }
}

} // namespace

CAF_TEST(what can be opened some day is accepted and nobody is asked) {
  accepts(check_chunk_store, {"memory:", "rocksdb:", "redis://127.0.0.1:1/0", "redis://u:p@[::1]:1/15?prefix=a:&durability=everysec"});
  accepts(check_chunk_cache, {"memory:", "none:", "redis://nowhere.invalid?prefix=a:"});
  accepts(check_object_store, {"file:", "file:/a/b/", "file:///a", "s3://A:S@bucket/p?endpoint=http://127.0.0.1:1&region=eu-west-1&style=path"});
  accepts(check_catalogue, {"sqlite:", "sqlite::memory:", "sqlite:/a/b", "sqlite:///a", "postgresql://u:p@nowhere.invalid/d?schema=a&sslmode=require"});
  accepts(check_sound_source, {"synth:", "http://127.0.0.1:9000/generate", "http://nowhere.invalid"});
}

CAF_TEST(what stands behind an engine that has no address is refused) {
  refuses(check_chunk_store, {{"rocksdb:/x", "must be \"rocksdb:\", with nothing behind it"}, {"memory:foo", "must be \"memory:\""}});
  refuses(check_chunk_cache, {{"memory:foo", "must be \"memory:\""}, {"none:1", "must be \"none:\""}});
  refuses(check_sound_source, {{"synth:loud", "must be \"synth:\""}});
  CAF_CHECK_EQUAL(refusal(check_chunk_store, "rocksdb://ann:s3cr3t@h").find("s3cr3t"), std::string::npos);
}

CAF_TEST(what can never be opened is refused by each engine) {
  refuses(check_chunk_store, {{"redis://h/abc", "is not the number of a database"}, {"redis://h?durability=foo", "no durability \"foo\""},
                                 {"redis://h?prefix=a:&foo=1", "no parameter \"foo\""}, {"redis://u@h/0", "has no password"}, {"tape:", "known are"}});
  refuses(check_chunk_cache, {{"redis://h/abc", "is not the number of a database"}, {"redis://h?durability=always", "no parameter"}});
  refuses(check_object_store, {{"s3://x", "access key or the secret is missing"}, {"s3://A:S@b", "is not the name of a bucket"},
                                  {"s3://A:S@bucket?endpoint=ftp://x", "endpoint"}, {"file:rel", "must be \"file:\" or like"}, {"file://host/x", "must be \"file:\""}});
  refuses(check_catalogue, {{"postgresql://h/d?sslmode=maybe", "is no sslmode"}, {"postgresql://h/d?schema=A-b", "cannot be the schema"},
                               {"sqlite:foo", "must be \"sqlite:\", \"sqlite::memory:\" or like \"sqlite:/absolute/file\""},
                               {"sqlite:./foo", "absolute"}, {"sqlite://host/x", "absolute"}, {"sqlite:/folder/", "absolute"}, {"sqlite:file:/x", "absolute"}});
  refuses(check_sound_source, {{"http://", "must be like http://"}, {"http://a:b", "must be like http://"}, {"http:nowhere:", "must be like"}});
}

CAF_TEST(only an embedded catalogue has a file) {
  CAF_CHECK_EQUAL(catalogue_file("sqlite:", "/data"), std::filesystem::path{"/data/catalogue.sqlite"});
  CAF_CHECK_EQUAL(catalogue_file("sqlite:///a/./b", "/data"), std::filesystem::path{"/a/b"});
  for (const auto* url : {"sqlite::memory:", "postgresql://h/d"})
    CAF_CHECK(catalogue_file(url, "/data").empty());
}
