// All or nothing: whichever call of whichever engine goes wrong, and wherever the process dies, a piece is archived once and
// whole, played from wherever it is, and leaves nothing when it is purged.
#define CAF_SUITE actors.transfer.transfer_crash

#include "tests/support/transfer_fixture.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

const std::string path = "v1/a/audio";
constexpr size_t part = 5 << 20; // the smallest that object stores take

/// A piece from its upload to its purge, whatever happens meanwhile.
class life : public transfer_fixture {
public:
  life(size_t size, size_t record) : transfer_fixture(hasty()), piece_(sound(size)) { id_ = keep(path, piece_, record).id; }

  static transfers_options hasty() {
    auto x = standard();
    x.each.evict_after = 10s;
    x.each.part_bytes = part;
    return x;
  }

  void upload() {
    insist(transfers, enqueue_upload{path});
    go_on([&] { return told(path) == "evict waiting 0"; });
    CAF_CHECK_EQUAL(story_, "stored ");
    check_objects();
  }

  void evict() {
    go_on([&] { return archive_of(path) == archive_state::evicted; });
    CAF_CHECK_EQUAL(story_, "stored evicted ");
    check_objects();
    check_heard();
  }

  void fetch_back() {
    go_on([&] { return transfer_of(path).state == transfer_state::done; }); // else it may be told that it is evicted just now
    insist(transfers, enqueue_download{path});
    go_on([&] { return archive_of(path) == archive_state::stored; });
    CAF_CHECK_EQUAL(story_, "stored evicted stored ");
    CAF_CHECK(chunks_of(path) == piece_);
    check_heard();
    go_on([&] { return archive_of(path) == archive_state::evicted; });
    CAF_CHECK_EQUAL(story_, "stored evicted stored evicted ");
    check_objects();
    check_heard();
  }

  void purge() {
    insist(transfers, enqueue_removal{path});
    insist(host, delete_stream{path});
    go_on([&] { return transfer_of(path).state == transfer_state::done; });
    CAF_CHECK_EQUAL(told(path).substr(0, 11), "remove done");
    CAF_CHECK_EQUAL(all_rows().size(), 1u);
    CAF_CHECK(!chunk_engine->load_row(path));
    CAF_CHECK(chunk_engine->load_chunks(id_, 0, 1).empty());
    CAF_CHECK_EQUAL(whole_objects(), std::set<std::string>{});
  }

  /// What was begun in the object store and neither finished nor thrown away.
  std::set<std::string> open_uploads() const {
    auto all = object_files();
    std::erase_if(all, [](const std::string& x) { return !x.starts_with(".uploads/"); });
    return all;
  }

private:
  /// An object is relied on only when it is whole.
  void watch() override {
    auto now = archive_of(path);
    if (now == known_)
      return;
    known_ = now;
    if (row_of(path).id == 0)
      return;
    story_ += now == archive_state::stored ? "stored " : now == archive_state::evicted ? "evicted " : "none ";
    check_objects();
  }

  std::set<std::string> whole_objects() const {
    auto all = object_files();
    std::erase_if(all, [](const std::string& x) { return x.starts_with(".uploads/"); });
    return all;
  }

  void check_objects() {
    CAF_CHECK_EQUAL(whole_objects(), both(path));
    CAF_CHECK_EQUAL(sha256_of(object(bytes_key(path))), sha256_of(piece_));
    auto known = manifest::read(object(manifest_key(path)));
    CAF_CHECK_EQUAL(known.sha256, sha256_of(piece_));
    CAF_CHECK_EQUAL(known.size(), piece_.size());
  }

  void check_heard() {
    sha256 sum;
    auto row = row_of(path);
    for (position at = 0; at < piece_.size();) {
      auto batch = insist(host, load_chunks{holders_of(row), at, 3 << 20, row.tail, true});
      auto bytes = bytes_of(batch, at);
      sum.add(bytes);
      at += bytes.size();
    }
    CAF_CHECK_EQUAL(sum.digits(), sha256_of(piece_));
  }

  std::string piece_;
  stream_id id_ = 0;
  archive_state known_ = archive_state::none;
  std::string story_; ///< what became of the archive
};

size_t disturb(moment when, bool crash) {
  return each_call([&](size_t number) {
    life x{10'500, 1'000};
    x.calls->fail(number, when, crash);
    x.upload();
    x.evict();
    x.fetch_back();
    x.purge();
    auto left = x.open_uploads();
    CAF_CHECK_EQUAL(left, std::set<std::string>{});
    return x.calls->happened();
  });
}

/// Until a large piece is archived: what comes then knows of no parts. No upload is left open, whichever answer was lost.
size_t disturb_parts(moment when, bool crash) {
  return each_call([&](size_t number) {
    life x{part + 1, part};
    x.calls->fail(number, when, crash);
    x.upload();
    auto left = x.open_uploads();
    CAF_CHECK_EQUAL(left, std::set<std::string>{});
    return x.calls->happened();
  });
}

} // namespace

CAF_TEST(any call may fail before it has done anything) { CAF_CHECK_GREATER(disturb(moment::before, false), 60u); }

CAF_TEST(any answer may be lost) { CAF_CHECK_GREATER(disturb(moment::after, false), 60u); }

CAF_TEST(the process may die before any call) { CAF_CHECK_GREATER(disturb(moment::before, true), 60u); }

CAF_TEST(the process may die after any call) { CAF_CHECK_GREATER(disturb(moment::after, true), 60u); }

CAF_TEST(any call of an upload in parts may fail) { CAF_CHECK_GREATER(disturb_parts(moment::before, false), 20u); }

CAF_TEST(any answer of an upload in parts may be lost) { CAF_CHECK_GREATER(disturb_parts(moment::after, false), 20u); }

CAF_TEST(the process may die anywhere in an upload in parts) { CAF_CHECK_GREATER(disturb_parts(moment::after, true), 20u); }

CAF_TEST(processes that die over and over come to the end as well) {
  for (size_t calls_made : {16, 20, 27}) {
    life x{10'500, 1'000};
    x.die_after(calls_made);
    x.upload();
    x.evict();
    x.fetch_back();
    x.purge();
    CAF_MESSAGE(x.lives() << " lives");
    CAF_CHECK_GREATER(x.lives(), 2u);
  }
}
