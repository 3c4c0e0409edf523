// What is special about objects in a folder: what lies there, and what does not.
#define CAF_SUITE contract.filesystem_object_store

#include "adapters/filesystem/filesystem_object_store.hpp"

#include <fstream>

#include "tests/support/engines.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using filesystem::filesystem_object_store;
using filesystem::folder_of;

namespace {

template <class F>
ec code_thrown(F f) {
  try {
    f();
  } catch (const adapter_error& e) {
    CAF_MESSAGE(e.what());
    return e.code();
  }
  return ec::none;
}

/// A store in a folder of its own.
struct fixture {
  temporary_folder place;
  std::filesystem::path root = place.path() / "objects";
  filesystem_object_store store{{root, 0}};

  void put(const std::string& key, const std::string& bytes = "x") { store.put(key, "audio/mpeg", bytes); }

  std::string content(const std::string& key) { return std::string{store.read(key, 0, 100).bytes.view()}; }

  /// Every file and folder, in order.
  std::string listing() const {
    std::vector<std::string> found;
    for (const auto& x : std::filesystem::recursive_directory_iterator{root})
      found.push_back(x.path().lexically_relative(root).string() + (x.is_directory() ? "/" : ""));
    std::sort(found.begin(), found.end());
    std::string text;
    for (const auto& x : found)
      text += x + " ";
    return text;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(filesystem_object_store_tests, fixture)

CAF_TEST(the URL names a folder) {
  CAF_CHECK_EQUAL(folder_of("", "/data").string(), "/data/objects");
  for (auto* rest : {"/some/where", "/some/where/", "///some/where", "/some/./where//"})
    CAF_CHECK_EQUAL(folder_of(rest, "/data").string(), "/some/where");
  for (auto* rest : {"where", "./where", "../where", "//host/where", "~/where"})
    CAF_CHECK_EQUAL(code_thrown([&] { folder_of(rest, "/data"); }), ec::invalid_argument);
}

CAF_TEST(an object is a file of its name and nothing else is left) {
  put("songs/one/a.mp3");
  put("songs/one/a.mp3", "again");
  put("songs/b.mp3");
  CAF_CHECK_EQUAL(listing(), ".uploads/ songs/ songs/b.mp3 songs/one/ songs/one/a.mp3 ");
  store.erase("songs/one/a.mp3");
  CAF_CHECK_EQUAL(listing(), ".uploads/ songs/ songs/b.mp3 ");
  store.erase("songs/b.mp3");
  CAF_CHECK_EQUAL(listing(), ".uploads/ ");
}

CAF_TEST(uploads leave nothing whether they are finished or thrown away) {
  auto finished = store.begin_upload("a/b", "audio/mpeg");
  auto thrown_away = store.begin_upload("a/b", "audio/mpeg");
  store.put_part("a/b", finished, 1, std::string{"old"});
  auto better = store.put_part("a/b", finished, 1, std::string{"new"});
  store.put_part("a/b", thrown_away, 1, std::string{"never"});
  store.finish_upload("a/b", finished, {better});
  store.abort_uploads("a/b");
  CAF_CHECK_EQUAL(code_thrown([&] { store.put_part("a/b", thrown_away, 2, std::string{"x"}); }), ec::not_found);
  CAF_CHECK_EQUAL(listing(), ".uploads/ a/ a/b ");
  CAF_CHECK_EQUAL(content("a/b"), "new");
}

CAF_TEST(what cannot be written is not there and leaves nothing) {
  put("a/b");
  auto before = listing();
  for (auto* key : {"a", "a/b/c", "a/b/c/d"})
    CAF_CHECK_EQUAL(code_thrown([&] { put(key); }), ec::invalid_argument);
  CAF_CHECK_EQUAL(listing(), before);
}

CAF_TEST(an empty folder that a crash has left is not in the way) {
  std::filesystem::create_directories(root / "a");
  put("a");
  CAF_CHECK_EQUAL(listing(), ".uploads/ a ");
}

CAF_TEST(ids and tags of others lead nowhere) {
  put("a");
  std::filesystem::create_directories(root / "fake");
  std::ofstream{root / "fake" / "key"} << "a";
  auto before = listing();
  auto other = store.begin_upload("b", "audio/mpeg");
  const std::vector<std::string> ids{"../fake", "..", ".", "", (root / "fake").string(), other + "/", other + "/../../fake",
      "../.uploads/" + other};
  for (const auto& id : ids)
    for (auto* key : {"a", "b"}) {
      CAF_CHECK_EQUAL(code_thrown([&] { store.put_part(key, id, 1, std::string{"x"}); }), ec::not_found);
      CAF_CHECK_EQUAL(code_thrown([&] { store.finish_upload(key, id, {"x"}); }), ec::not_found);
    }
  for (auto* tag : {"../key", "x/../../../a", "", "."})
    CAF_CHECK_EQUAL(code_thrown([&] { store.finish_upload("b", other, {tag}); }), ec::not_found);
  store.abort_uploads("b");
  CAF_CHECK_EQUAL(listing(), before);
}

CAF_TEST(below the reserve nothing is written and everything is read) {
  put("a", "kept");
  auto id = store.begin_upload("b", "audio/mpeg");
  auto tag = store.put_part("b", id, 1, std::string{"part"});
  auto free = std::filesystem::space(root).available;
  filesystem_object_store full{{root, free + (uint64_t{1} << 40)}};
  CAF_CHECK_EQUAL(code_thrown([&] { full.put("c", "audio/mpeg", std::string{"x"}); }), ec::storage_full);
  CAF_CHECK_EQUAL(code_thrown([&] { full.begin_upload("c", "audio/mpeg"); }), ec::storage_full);
  CAF_CHECK_EQUAL(code_thrown([&] { full.put_part("b", id, 2, std::string{"x"}); }), ec::storage_full);
  CAF_CHECK_EQUAL(code_thrown([&] { full.finish_upload("b", id, {tag}); }), ec::storage_full);
  CAF_CHECK(full.read("a", 0, 4).bytes.view() == "kept");
  full.erase("a");
  full.abort_uploads("b");
  CAF_CHECK_EQUAL(listing(), ".uploads/ ");
}

CAF_TEST(what was left behind for more than a day is removed) {
  auto old = store.begin_upload("a", "audio/mpeg");
  auto young = store.begin_upload("b", "audio/mpeg");
  auto uploads = root / ".uploads";
  std::ofstream{uploads / "old.new"} << "x";
  std::ofstream{uploads / "young.new"} << "x";
  for (auto name : {old, std::string{"old.new"}})
    std::filesystem::last_write_time(uploads / name, std::filesystem::file_time_type::clock::now() - std::chrono::hours{25});
  filesystem_object_store again{{root, 0}};
  auto left = listing();
  CAF_CHECK_EQUAL(left.find(old), std::string::npos);
  CAF_CHECK_EQUAL(left.find("old.new"), std::string::npos);
  CAF_CHECK_NOT_EQUAL(left.find("young.new"), std::string::npos);
  CAF_CHECK_EQUAL(code_thrown([&] { again.put_part("a", old, 1, std::string{"x"}); }), ec::not_found);
  again.put_part("b", young, 1, std::string{"x"});
}

CAF_TEST(a folder that cannot be written to is said at once) {
  std::ofstream{place.path() / "file"} << "x";
  CAF_CHECK_EQUAL(code_thrown([&] { filesystem_object_store{{place.path() / "file", 0}}; }), ec::unavailable);
  CAF_CHECK_EQUAL(code_thrown([&] { filesystem_object_store{{"/proc/objects", 0}}; }), ec::unavailable);
}

CAF_TEST_FIXTURE_SCOPE_END()
