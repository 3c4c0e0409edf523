// What one transfer does: upload, evict, download. Removing has a suite of its own.
#define CAF_SUITE actors.transfer.transfer

#include "actors/transfer/transfer.hpp"

#include "tests/support/transfer_fixture.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

constexpr size_t part = 5 << 20; // the smallest that object stores take

transfers_options in_parts() {
  auto x = transfer_fixture::standard();
  x.each.part_bytes = part;
  return x;
}

} // namespace

// -- upload

CAF_TEST(a finished piece becomes an object and its manifest and stays where it was) {
  transfer_fixture x;
  auto piece = x.sound(10'500);
  x.keep("a/audio", piece);
  x.archive("a/audio");
  CAF_CHECK(x.object("a/audio.mp3") == piece);
  CAF_CHECK_EQUAL(x.object_files(), x.both("a/audio"));
  auto known = manifest::read(x.object("a/audio.json"));
  CAF_CHECK_EQUAL(known.size(), piece.size());
  CAF_CHECK_EQUAL(known.records(), 11u);
  CAF_CHECK_EQUAL(known.sha256, sha256_of(piece));
  CAF_CHECK_EQUAL(known.content_type, "audio/mpeg");
  CAF_CHECK(x.chunks_of("a/audio") == piece);
  auto row = x.transfer_of("a/audio");
  CAF_CHECK_EQUAL(x.told("a/audio"), "evict waiting 0");
  CAF_CHECK_EQUAL(row.bytes_done, piece.size());
  CAF_CHECK_EQUAL(row.bytes_total, piece.size());
  CAF_CHECK(std::abs(row.due_at_ms - row.created_at_ms - 3'600'000) < 1'000);
  CAF_CHECK_EQUAL(row.holder + row.error, "");
}

CAF_TEST(a large piece is uploaded in parts and nothing of them is left) {
  for (size_t size : {part + 1, 2 * part, 2 * part + 70'000}) {
    transfer_fixture x{in_parts()};
    auto piece = x.sound(size);
    x.keep("a", piece, 300'000);
    x.archive("a");
    CAF_CHECK(x.object("a.mp3") == piece);
    CAF_CHECK_EQUAL(x.object_files(), x.both("a"));
    CAF_CHECK_EQUAL(x.transfer_of("a").bytes_done, size);
  }
}

CAF_TEST(a piece of exactly one part and one without parts go up as a whole) {
  for (auto part_bytes : {part, size_t{0}}) {
    auto options = in_parts();
    options.each.part_bytes = part_bytes;
    transfer_fixture x{options};
    auto piece = x.sound(part);
    x.keep("a", piece, 400'000);
    x.archive("a");
    CAF_CHECK(x.object("a.mp3") == piece);
    CAF_CHECK_EQUAL(x.object_files(), x.both("a"));
  }
}

CAF_TEST(a piece of too many records is not archived and stays where it is) {
  auto options = transfer_fixture::standard();
  options.each.manifest_bytes = 300;
  transfer_fixture x{options};
  auto piece = x.sound(10'500);
  x.keep("a", piece);
  x.post(x.transfers, enqueue_upload{"a"});
  x.pass(2h, 1min);
  CAF_CHECK(x.archive_of("a") == archive_state::none);
  CAF_CHECK(x.chunks_of("a") == piece);
  CAF_CHECK(x.transfer_of("a").error.find("records are too many") != std::string::npos);
  CAF_CHECK(x.transfer_of("a").state == transfer_state::dead);
}

CAF_TEST(a piece of nothing is archived as well) {
  transfer_fixture x;
  x.keep("a", "");
  x.evict("a");
  CAF_CHECK_EQUAL(x.object_files(), x.both("a"));
  CAF_CHECK_EQUAL(x.object("a.mp3"), "");
}

CAF_TEST(a stream that is not closed yet is not archived until it is) {
  transfer_fixture x;
  auto stream = x.open("a");
  x.append(stream, "abc");
  x.ask(x.transfers, enqueue_upload{"a"});
  CAF_CHECK_EQUAL(x.told("a"), "upload waiting 1");
  CAF_CHECK_EQUAL(x.transfer_of("a").error, "conflict: the stream is not closed yet");
  CAF_CHECK(x.object_files().empty());
  x.append(stream, "de", {}, true);
  x.pass_until([&] { return x.archive_of("a") == archive_state::stored; });
  CAF_CHECK_EQUAL(x.object("a.mp3"), "abcde");
  CAF_CHECK_EQUAL(x.transfer_of("a").error, "");
}

CAF_TEST(a piece that is gone needs no transfer) {
  transfer_fixture x;
  x.ask(x.transfers, enqueue_upload{"never there"});
  CAF_CHECK_EQUAL(x.told("never there"), "upload done 0");
  CAF_CHECK(x.object_files().empty());
}

CAF_TEST(an object that gives back other bytes is not relied on) {
  transfer_fixture x;
  auto piece = x.sound(5'000);
  x.keep("a", piece);
  x.post(x.transfers, enqueue_upload{"a"});
  while (x.object_files().empty() && x.consume_message()) {
  }
  CAF_CHECK_EQUAL(x.object_files(), (std::set<std::string>{"a.mp3"}));
  std::fstream{x.object_file("a.mp3"), std::ios::in | std::ios::out}.put('?'); // a disk errs
  x.consume_messages();
  CAF_CHECK_EQUAL(x.told("a"), "upload waiting 1");
  CAF_CHECK(x.transfer_of("a").error.starts_with("corrupt: "));
  CAF_CHECK(x.archive_of("a") == archive_state::none);
  x.pass_until([&] { return x.archive_of("a") == archive_state::stored; });
  CAF_CHECK(x.object("a.mp3") == piece);
}

CAF_TEST(a fork is archived with the bytes of those it was made from) {
  transfer_fixture x;
  auto piece = x.sound(5'000);
  x.keep("a", piece);
  x.fork("b", "a", 3'500, "of b");
  x.evict("a");
  x.evict("b");
  CAF_CHECK(x.object("b.mp3") == piece.substr(0, 3'500) + "of b");
  CAF_CHECK(x.heard("b") == piece.substr(0, 3'500) + "of b");
}

// -- evict

CAF_TEST(chunks are evicted when their time has come and not before) {
  transfer_fixture x;
  auto piece = x.sound(30'000);
  x.keep("a", piece);
  x.archive("a");
  x.pass(58min, 1min);
  CAF_CHECK(x.archive_of("a") == archive_state::stored);
  CAF_CHECK(x.chunks_of("a") == piece);
  x.pass(4min, 1min); // rows are looked for once a minute
  CAF_CHECK(x.archive_of("a") == archive_state::evicted);
  CAF_CHECK(x.chunks_of("a").empty());
  CAF_CHECK_EQUAL(x.told("a"), "evict done 0");
}

CAF_TEST(after the eviction every byte is read from the object wherever one begins) {
  transfer_fixture x;
  auto piece = x.sound(20'300);
  x.keep("a", piece);
  x.evict("a");
  for (position from : {0u, 1u, 999u, 1'000u, 7'500u, 20'299u})
    for (uint64_t limit : {1u, 1'500u, 1u << 20})
      CAF_CHECK(x.heard("a", from, limit) == piece.substr(from));
  CAF_CHECK_GREATER(x.counters.reads_object.Value(), 0);
}

CAF_TEST(chunks are not evicted when their object is not whole) {
  transfer_fixture x;
  auto piece = x.sound(5'000);
  for (const char* path : {"cut", "gone", "unknown"}) {
    x.keep(path, piece);
    x.archive(path);
  }
  std::filesystem::resize_file(x.object_file("cut.mp3"), 4'999);
  std::filesystem::remove(x.object_file("gone.mp3"));
  std::filesystem::remove(x.object_file("unknown.json"));
  x.pass(70min, 1min);
  for (const char* path : {"cut", "gone", "unknown"}) {
    CAF_MESSAGE(path << ": " << x.transfer_of(path).error);
    CAF_CHECK(x.archive_of(path) == archive_state::stored);
    CAF_CHECK(x.chunks_of(path) == piece);
    CAF_CHECK(!x.transfer_of(path).error.empty());
  }
}

// -- download

CAF_TEST(a download brings the very records back and they are evicted again) {
  transfer_fixture x;
  auto piece = x.sound(3'000'500);
  auto row = x.keep("a", piece, 700'000);
  x.evict("a");
  auto before = x.counters.reads_object.Value();
  x.ask(x.transfers, enqueue_download{"a"});
  CAF_CHECK(x.archive_of("a") == archive_state::stored);
  CAF_CHECK_EQUAL(x.told("a"), "evict waiting 0");
  CAF_CHECK_EQUAL(x.transfer_of("a").bytes_done, piece.size());
  auto records = x.chunk_engine->load_chunks(row.id, 0, UINT64_MAX);
  CAF_CHECK_EQUAL(records.size(), 5u);
  CAF_CHECK(x.chunks_of("a") == piece);
  CAF_CHECK(x.heard("a") == piece);
  CAF_CHECK_EQUAL(x.counters.reads_object.Value(), before);
  x.pass(62min, 1min);
  CAF_CHECK(x.archive_of("a") == archive_state::evicted);
  CAF_CHECK(x.heard("a") == piece);
}

CAF_TEST(what was not evicted needs no download) {
  transfer_fixture x;
  x.keep("a", "abc");
  x.ask(x.transfers, enqueue_download{"a"});
  CAF_CHECK_EQUAL(x.told("a"), "download done 0");
  CAF_CHECK(x.archive_of("a") == archive_state::none);
}

CAF_TEST(a download of what is not the piece restores nothing) {
  transfer_fixture x;
  auto piece = x.sound(5'000);
  x.keep("a", piece);
  x.keep("other", x.sound(6'000, 2));
  x.evict("a");
  x.archive("other");
  for (const char* kind : {".mp3", ".json"}) // whole, and of another piece
    std::filesystem::copy_file(x.object_file("other" + std::string{kind}), x.object_file("a" + std::string{kind}),
        std::filesystem::copy_options::overwrite_existing);
  x.ask(x.transfers, enqueue_download{"a"});
  CAF_CHECK_EQUAL(x.told("a"), "download waiting 1");
  CAF_CHECK(x.transfer_of("a").error.starts_with("corrupt: "));
  CAF_CHECK(x.archive_of("a") == archive_state::evicted);
  CAF_CHECK(x.chunks_of("a").empty()); // or whoever listens now would hear it
}

CAF_TEST(playing an archived piece brings it back) {
  transfer_fixture x;
  auto piece = x.sound(2'000'000);
  x.keep("a", piece, 100'000);
  x.evict("a");
  CAF_CHECK(x.content("a", 64 << 10) == piece);
  x.pass_until([&] { return x.archive_of("a") == archive_state::stored; });
  CAF_CHECK(x.chunks_of("a") == piece);
}
