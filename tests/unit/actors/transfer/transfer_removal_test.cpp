// Transfers that remove: nothing of a purged piece is left, and nothing goes that is still needed.
#define CAF_SUITE actors.transfer.transfer_removal

#include "actors/transfer/transfer.hpp"

#include "tests/support/transfer_fixture.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

CAF_TEST(a removal waits until the stream is gone and then erases both objects) {
  transfer_fixture x;
  x.keep("a/audio", x.sound(5'000));
  x.archive("a/audio");
  x.ask(x.transfers, enqueue_removal{"a/audio"});
  x.pass(5s);
  CAF_CHECK_EQUAL(x.told("a/audio"), "remove waiting 0");
  CAF_CHECK_EQUAL(x.object_files(), x.both("a/audio"));
  x.ask(x.directory, remove_stream{"a/audio"}).reply();
  x.pass_until([&] { return x.object_files().empty(); });
  x.pass(2min, 1s);
  CAF_CHECK_EQUAL(x.told("a/audio"), "remove done 0");
}

CAF_TEST(a purged piece leaves nothing whether it was evicted or never archived) {
  transfer_fixture x;
  x.keep("evicted", x.sound(5'000));
  x.keep("kept", x.sound(5'000));
  x.evict("evicted");
  for (const char* path : {"evicted", "kept"}) {
    x.post(x.transfers, enqueue_removal{path});
    x.post(x.directory, remove_stream{path});
    x.pass_until([&] { return x.told(path) == "remove done 0"; });
  }
  CAF_CHECK(x.object_files().empty());
}

CAF_TEST(a forked stream keeps its object until its last fork is gone) {
  transfer_fixture x;
  auto piece = x.sound(5'000);
  x.keep("a", piece);
  x.fork("b", "a", 3'500, "of b");
  x.fork("c", "b", 3'502, "of c");
  x.evict("a");
  CAF_CHECK(x.heard("b") == piece.substr(0, 3'500) + "of b");
  x.ask(x.transfers, enqueue_removal{"a"});
  for (const char* path : {"a", "b"}) {
    x.ask(x.directory, remove_stream{path}).reply();
    x.pass(30min, 1min);
    CAF_CHECK_EQUAL(x.told("a"), "remove waiting 0");
    CAF_CHECK_EQUAL(x.object_files(), x.both("a"));
    CAF_CHECK(x.heard("c") == piece.substr(0, 3'500) + "ofof c");
  }
  x.ask(x.directory, remove_stream{"c"}).reply();
  x.pass(61min, 1min);
  CAF_CHECK_EQUAL(x.told("a"), "remove done 0");
  CAF_CHECK(x.object_files().empty());
}

CAF_TEST(a removal takes the place of an upload that waits) {
  transfer_fixture x;
  x.keep("a", x.sound(5'000));
  x.objects->away(true);
  x.ask(x.transfers, enqueue_upload{"a"});
  CAF_CHECK_EQUAL(x.told("a"), "upload waiting 1");
  x.objects->away(false);
  x.ask(x.transfers, enqueue_removal{"a"}).reply();
  CAF_CHECK_EQUAL(x.told("a"), "remove waiting 0");
  CAF_CHECK_EQUAL(x.all_rows().size(), 1u);
  x.ask(x.transfers, enqueue_upload{"a"}); // does not take its place
  x.pass(1min);
  CAF_CHECK_EQUAL(x.told("a"), "remove waiting 0");
  CAF_CHECK(x.object_files().empty());
  CAF_CHECK(x.archive_of("a") == archive_state::none);
}

CAF_TEST(a removal in the middle of anything leaves nothing) {
  size_t replaced = 0;
  for (size_t at = 1; at < 80; at += 2) {
    transfer_fixture x;
    x.keep("a", x.sound(5'000));
    x.post(x.transfers, enqueue_upload{"a"});
    for (size_t i = 0; i < at; ++i)
      x.consume_message();
    replaced += x.transfer_of("a").state == transfer_state::running;
    x.ask(x.transfers, enqueue_removal{"a"});
    x.ask(x.directory, remove_stream{"a"});
    x.pass(3min, 1s);
    CAF_CHECK_EQUAL(x.told("a"), "remove done 0");
    CAF_CHECK(x.object_files().empty());
  }
  CAF_CHECK_GREATER(replaced, 10u);
}

CAF_TEST(what an upload sent arrives after the removal and goes as well) {
  transfer_fixture x;
  x.keep("a", x.sound(5'000));
  x.post(x.transfers, enqueue_upload{"a"});
  while (x.transfer_of("a").state != transfer_state::running && x.consume_message()) {
  }
  x.post(x.transfers, enqueue_removal{"a"});
  x.post(x.directory, remove_stream{"a"});
  x.pass(70s, 1s);
  CAF_CHECK(x.object_files().empty());
  x.objects->put(bytes_key("a"), "audio/mpeg", payload{"late"});
  CAF_CHECK_EQUAL(x.told("a"), "remove waiting 0");
  x.pass(2min, 1s);
  CAF_CHECK_EQUAL(x.told("a"), "remove done 0");
  CAF_CHECK(x.object_files().empty());
}

CAF_TEST(a removal in the middle of an upload in parts leaves no part) {
  auto options = transfer_fixture::standard();
  options.each.part_bytes = 5 << 20;
  transfer_fixture x{options};
  x.keep("a", x.sound(11 << 20), 1 << 20);
  x.post(x.transfers, enqueue_upload{"a"});
  while (x.object_files().size() < 3 && x.consume_message()) { // what it is for, and two parts
  }
  CAF_CHECK_EQUAL(x.object_files().size(), 3u);
  x.post(x.transfers, enqueue_removal{"a"});
  x.post(x.directory, remove_stream{"a"});
  x.pass(3min, 1s);
  CAF_CHECK_EQUAL(x.told("a"), "remove done 0");
  CAF_CHECK_EQUAL(x.object_files(), std::set<std::string>{});
}

CAF_TEST(a removal is tried again until the objects are gone) {
  transfer_fixture x;
  x.keep("a", x.sound(5'000));
  x.archive("a");
  x.objects->away(true);
  x.post(x.transfers, enqueue_removal{"a"});
  x.post(x.directory, remove_stream{"a"});
  x.pass(10s);
  CAF_CHECK_EQUAL(x.object_files(), x.both("a"));
  CAF_CHECK_GREATER(x.transfer_of("a").attempts, 1u);
  x.objects->away(false);
  x.pass_until([&] { return x.object_files().empty(); });
  x.pass_until([&] { return x.transfer_of("a").state == transfer_state::done; });
}

CAF_TEST(a removal that waits looks ever more seldom and never less than every ten minutes) {
  transfer_fixture x;
  x.keep("a", x.sound(5'000));
  x.ask(x.transfers, enqueue_removal{"a"});
  std::set<uint64_t> leases;
  for (int minute = 0; minute < 8 * 60; ++minute) {
    x.pass(1min, 1s);
    auto row = x.transfer_of("a");
    leases.insert(row.lease);
    CAF_CHECK(row.due_at_ms - row.changed_at_ms <= 600'000);
  }
  CAF_CHECK_GREATER(leases.size(), 40u);
  CAF_CHECK_LESS(*leases.rbegin(), 80u);
}

CAF_TEST(a removal cannot be dropped) {
  transfer_fixture x;
  x.keep("a", x.sound(5'000));
  x.ask(x.transfers, enqueue_removal{"a"});
  CAF_CHECK_EQUAL(x.ask(x.transfers, drop_transfer{x.transfer_of("a").id}).code(), ec::conflict);
  CAF_CHECK_EQUAL(x.told("a"), "remove waiting 0");
}

CAF_TEST(a removal never dies whatever it meets) {
  auto options = transfer_fixture::standard();
  options.retries.attempts = 2;
  transfer_fixture x{options};
  x.keep("a", x.sound(5'000));
  x.archive("a");
  x.ask(x.directory, remove_stream{"a"}).reply();
  auto row = x.row_engine->insert([] {
    transfer_row wish;
    wish.path = "a";
    wish.kind = transfer_kind::remove;
    return wish;
  }());
  for (int64_t now = 1; now < 8; now += 2) // its worker dies, time after time
    CAF_REQUIRE_EQUAL(x.row_engine->lease("one that dies", now, now + 1, 1).size(), 1u);
  CAF_CHECK_EQUAL(x.transfer_of("a").id, row.id);
  CAF_CHECK_EQUAL(x.transfer_of("a").attempts, 3u);
  x.pass_until([&] { return x.told("a") == "remove done 0"; }, 10min);
  CAF_CHECK(x.object_files().empty());
}

// A fork may live for long, and in all that time a store may be away for a moment now and then.
CAF_TEST(a removal that waits is not dead because of failures that were not in a row) {
  auto options = transfer_fixture::standard();
  options.retries.attempts = 3;
  transfer_fixture x{options};
  x.keep("a", x.sound(5'000));
  x.ask(x.transfers, enqueue_removal{"a"});
  for (int day = 0; day < 5; ++day) {
    x.pass(30min, 1min);
    auto failed = x.counters.transfers_failed.Value();
    x.store->fail_reads(true);
    x.pass_until([&] { return x.counters.transfers_failed.Value() > failed; }, 15min);
    x.store->fail_reads(false);
  }
  x.pass(30min, 1min);
  CAF_CHECK_EQUAL(x.told("a"), "remove waiting 0");
}
