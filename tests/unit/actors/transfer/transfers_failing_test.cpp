// What becomes of transfers that fail: which ones are tried again, how much later, and which ones die.
#define CAF_SUITE actors.transfer.transfers_failing

#include "actors/transfer/transfers.hpp"

#include "tests/support/transfer_fixture.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

using world = transfer_fixture;

transfers_options trying(uint32_t attempts) {
  auto x = transfer_fixture::standard();
  x.retries.attempts = attempts;
  return x;
}

} // namespace

CAF_TEST(a store that is away is tried again until it is back) {
  world x;
  auto piece = x.sound(5'000);
  x.keep("a", piece);
  x.objects->away(true);
  x.upload("a");
  CAF_CHECK_EQUAL(x.told("a"), "upload waiting 1");
  CAF_CHECK_EQUAL(x.transfer_of("a").error, "unavailable: nobody answers, says the test");
  CAF_CHECK_EQUAL(x.transfer_of("a").holder, "");
  x.pass(20s);
  CAF_CHECK_EQUAL(x.told("a").substr(0, 14), "upload waiting");
  CAF_CHECK_GREATER(x.transfer_of("a").attempts, 3u);
  x.objects->away(false);
  x.pass_until([&] { return x.archived("a"); });
  x.check_archived("a", piece);
  CAF_CHECK_EQUAL(x.counters.transfers_dead.Value(), 0);
}

CAF_TEST(each pause is longer than the one before) {
  world x;
  x.keep("a", x.sound(5'000));
  x.objects->away(true);
  x.upload("a");
  caf::timespan last{0};
  for (uint32_t attempts = 2; attempts < 7; ++attempts) {
    auto pause = x.pass_until([&] { return x.transfer_of("a").attempts == attempts; });
    auto whole = std::chrono::seconds{1 << (attempts - 2)};
    CAF_CHECK(pause >= whole / 2 - 150ms && pause <= whole + 40ms);
    last += pause;
  }
  CAF_CHECK(last > 15s);
}

CAF_TEST(an outage of a day kills nothing and the pauses grow to five minutes) {
  world x{trying(3)};
  auto piece = x.sound(5'000);
  x.keep("a", piece);
  x.objects->away(true);
  x.upload("a");
  x.pass(24h, 1min);
  auto row = x.transfer_of("a");
  CAF_CHECK_EQUAL(row.state, transfer_state::waiting);
  CAF_CHECK(row.attempts > 200 && row.attempts < 600);
  CAF_CHECK_EQUAL(x.counters.transfers_dead.Value(), 0);
  x.objects->away(false);
  CAF_CHECK(x.pass_until([&] { return x.archived("a"); }, 6min) <= 301s);
  x.check_archived("a", piece);
}

CAF_TEST(after an outage a transfer that is itself at fault has all its attempts) {
  world x{trying(3)};
  x.keep("a", x.sound(5'000));
  x.objects->away(true);
  x.upload("a");
  x.pass(20s);
  CAF_CHECK_GREATER(x.transfer_of("a").attempts, 3u);
  x.objects->away(false);
  x.objects->wrong(true);
  x.pass_until([&] { return x.told("a") == "upload waiting 2"; });
  CAF_CHECK(x.transfer_of("a").error.starts_with("corrupt"));
  x.pass_until([&] { return x.told("a") == "upload dead 3"; });
  CAF_CHECK_EQUAL(x.counters.transfers_dead.Value(), 1);
}

CAF_TEST(a worker that dies in an outage loses one attempt and no more) {
  world x{trying(3)};
  auto piece = x.sound(5'000);
  x.keep("a", piece);
  x.objects->away(true);
  x.upload("a");
  x.pass(20s);
  auto failed = x.transfer_of("a");
  CAF_CHECK_GREATER(failed.attempts, 3u);
  auto lost = x.row_engine->lease("one that dies", failed.due_at_ms, failed.due_at_ms + 10, 1);
  CAF_REQUIRE_EQUAL(lost.size(), 1u);
  x.objects->away(false);
  x.pass_until([&] { return x.archived("a"); }, 3min);
  x.check_archived("a", piece);
}

CAF_TEST(a transfer that kills its process is dead in the end) {
  world x{trying(3)};
  x.keep("a", x.sound(5'000));
  x.objects->away(true);
  x.upload("a");
  auto row = x.transfer_of("a");
  int64_t now = row.due_at_ms;
  for (int i = 0; i < 4; ++i) {
    now += 1'000'000;
    CAF_REQUIRE_EQUAL(x.row_engine->lease("one that dies", now, now + 10, 1).size(), 1u);
  }
  CAF_CHECK_EQUAL(x.transfer_of("a").attempts, 3u);
  x.objects->away(false);
  x.pass(2h, 1min);
  CAF_CHECK_EQUAL(x.told("a"), "upload dead 4");
  CAF_CHECK(x.transfer_of("a").error.starts_with("interrupted"));
}

CAF_TEST(what failed too often is dead until somebody has it tried again) {
  world x{trying(3)};
  auto piece = x.sound(5'000);
  x.keep("a", piece);
  x.objects->wrong(true);
  x.upload("a");
  x.pass_until([&] { return x.told("a") == "upload dead 3"; });
  CAF_CHECK_EQUAL(x.counters.transfers_failed.Value(), 2);
  CAF_CHECK_EQUAL(x.counters.transfers_dead.Value(), 1);
  x.objects->wrong(false);
  x.pass(2h, 1min);
  CAF_CHECK_EQUAL(x.told("a"), "upload dead 3");
  auto dead = x.ask(x.transfers, list_transfers{0, 10, true}).reply();
  CAF_REQUIRE_EQUAL(dead.rows.size(), 1u);
  CAF_CHECK(dead.rows.front().error.starts_with("corrupt"));
  auto retried = x.ask(x.transfers, retry_transfer{dead.rows.front().id}).reply();
  CAF_CHECK_EQUAL(retried.row.attempts, 0u);
  x.check_archived("a", piece);
  CAF_CHECK(x.ask(x.transfers, list_transfers{0, 10, true}).reply().rows.empty());
}

CAF_TEST(an upload that is given up leaves no parts) {
  auto options = trying(1);
  options.each.part_bytes = 5 << 20;
  world x{options};
  x.keep("a", x.sound(11 << 20), 1 << 20);
  x.post(x.transfers, enqueue_upload{"a"});
  while (x.object_files().size() < 3 && x.consume_message()) { // what it is for, and two parts
  }
  CAF_CHECK_EQUAL(x.object_files().size(), 3u);
  auto row = x.transfer_of("a");
  x.row_engine->lease("one that dies", row.leased_until_ms, row.leased_until_ms + 10, 1);
  x.pass_until([&] { return x.transfer_of("a").state == transfer_state::dead; });
  x.consume_messages();
  CAF_CHECK_EQUAL(x.object_files(), std::set<std::string>{});
}
