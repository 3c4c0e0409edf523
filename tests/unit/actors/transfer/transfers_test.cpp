// The queue of transfers: what is tried again, by whom and when.
#define CAF_SUITE actors.transfer.transfers

#include "actors/transfer/transfers.hpp"

#include "tests/support/transfer_fixture.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

struct world : transfer_fixture {
  using transfer_fixture::transfer_fixture;

  /// The transfers of another process with the same stores.
  transfers_actor others(bool working) {
    auto theirs = options;
    theirs.holder = "there";
    theirs.working = working;
    return sys.spawn(segue::transfers, parent, transfer_ground{catalogue, host, object_host}, theirs, &counters);
  }
};

transfers_options trying(uint32_t attempts) {
  auto x = transfer_fixture::standard();
  x.retries.attempts = attempts;
  return x;
}

} // namespace

CAF_TEST(what is enqueued twice is there once) {
  world x;
  x.keep("a", x.sound(5'000));
  auto first = x.post(x.transfers, enqueue_upload{"a"});
  auto second = x.post(x.transfers, enqueue_upload{"a"});
  x.consume_messages();
  auto third = x.ask(x.transfers, enqueue_upload{"a"});
  CAF_CHECK_EQUAL(first.reply().id, second.reply().id);
  CAF_CHECK_EQUAL(first.reply().id, third.reply().id);
  CAF_CHECK_EQUAL(x.all_rows().size(), 1u);
  CAF_CHECK_EQUAL(x.counters.transfers_done.Value(), 1);
}

CAF_TEST(where pieces are kept nothing is enqueued) {
  auto options = world::standard();
  options.archive = false;
  world x{options};
  x.keep("a", x.sound(5'000));
  CAF_CHECK_EQUAL(x.ask(x.transfers, enqueue_upload{"a"}).reply().id, 0u);
  CAF_CHECK(x.all_rows().empty());
}

CAF_TEST(only what waits or is dead can be tried again or dropped) {
  world x{trying(1)};
  x.keep("a", x.sound(5'000));
  x.objects->wrong(true);
  x.upload("a");
  auto id = x.transfer_of("a").id;
  CAF_CHECK_EQUAL(x.told("a"), "upload dead 1");
  CAF_CHECK_EQUAL(x.ask(x.transfers, retry_transfer{id + 1}).code(), ec::not_found);
  CAF_CHECK_EQUAL(x.ask(x.transfers, drop_transfer{id + 1}).code(), ec::not_found);
  x.post(x.transfers, retry_transfer{id});
  x.next_worker();
  CAF_CHECK_EQUAL(x.told("a"), "upload running 0");
  auto retried = x.post(x.catalogue, retry_transfer{id});
  auto dropped = x.post(x.catalogue, drop_transfer{id});
  x.consume_messages();
  CAF_CHECK_EQUAL(retried.code(), ec::conflict);
  CAF_CHECK_EQUAL(dropped.code(), ec::conflict);
  CAF_CHECK_EQUAL(x.ask(x.transfers, drop_transfer{id}).reply().row.id, id);
  CAF_CHECK_EQUAL(x.told("a"), "nothing");
  CAF_CHECK_EQUAL(x.ask(x.transfers, find_transfer{id}).code(), ec::not_found);
}

CAF_TEST(a worker that is killed anywhere is followed by another one) {
  size_t killed = 0;
  for (size_t at = 1; at < 80; ++at) {
    world x;
    auto piece = x.sound(5'000);
    x.keep("a", piece);
    x.post(x.transfers, enqueue_upload{"a"});
    for (size_t i = 0; i < at; ++i)
      x.consume_message();
    auto worker = x.next_worker();
    if (!worker)
      break;
    ++killed;
    x.kill(worker);
    CAF_CHECK_EQUAL(x.counters.transfers_running.Value(), 0);
    x.pass_until([&] { return x.told("a") == "evict waiting 0"; });
    x.check_archived("a", piece);
    CAF_CHECK_EQUAL(x.object_files(), x.both("a"));
  }
  CAF_CHECK_GREATER(killed, 7u);
}

CAF_TEST(a worker that has lost its lease writes nothing more) {
  size_t stolen = 0;
  for (size_t at = 1; at < 80; at += 2) {
    world x;
    auto piece = x.sound(5'000);
    x.keep("a", piece);
    x.post(x.transfers, enqueue_upload{"a"});
    for (size_t i = 0; i < at; ++i)
      x.consume_message();
    auto leased = x.transfer_of("a");
    if (leased.state != transfer_state::running)
      continue;
    ++stolen;
    auto until = leased.leased_until_ms + 3'600'000;
    auto theirs = x.row_engine->lease("thief", leased.leased_until_ms, until, 1);
    CAF_REQUIRE_EQUAL(theirs.size(), 1u);
    x.pass(30min, 1min);
    CAF_CHECK(x.transfer_of("a") == theirs.front());
    CAF_CHECK_EQUAL(x.counters.transfers_running.Value(), 0);
    CAF_CHECK_EQUAL(x.counters.transfers_failed.Value(), 0);
    x.pass(35min, 1min); // the thief has died
    x.check_archived("a", piece);
  }
  CAF_CHECK_GREATER(stolen, 10u);
}

CAF_TEST(a worker that stood still for longer than its lease puts nothing into the object store) {
  size_t stood = 0;
  for (size_t at = 1; at < 60; ++at) {
    auto options = world::standard();
    options.each.part_bytes = 5 << 20;
    world x{options};
    x.keep("a", x.sound(11 << 20), 1 << 20);
    x.post(x.transfers, enqueue_upload{"a"});
    for (size_t i = 0; i < at; ++i)
      x.consume_message();
    auto working = x.next_worker();
    auto leased = x.transfer_of("a");
    if (!working || leased.state != transfer_state::running)
      continue;
    ++stood;
    auto until = leased.leased_until_ms + 3'600'000;
    CAF_REQUIRE_EQUAL(x.row_engine->lease("thief", leased.leased_until_ms, until, 1).size(), 1u);
    auto before = x.object_files();
    x.advance_time(options.each.lease + 1s);
    x.consume_messages();
    CAF_CHECK_EQUAL(x.object_files(), before);
  }
  CAF_CHECK_GREATER(stood, 20u);
}

CAF_TEST(whose clock is ahead steals nothing when the catalogue has one) {
  world x;
  constexpr int64_t clock = 5'000, hour = 3'600'000, lease = 30'000; // nobody else's clock is anywhere near
  x.rows->show(clock);
  transfer_row wish;
  wish.path = "a";
  wish.due_at_ms = wish.changed_at_ms = 70 * hour;
  auto there = x.ask(x.catalogue, insert_transfer{wish}).reply().row;
  CAF_CHECK_EQUAL(there.due_at_ms, clock);
  auto leased = [&](const std::string& holder, int64_t now) {
    return x.ask(x.catalogue, lease_transfers{holder, now, now + lease, 1}).reply().rows;
  };
  auto ours = leased("one", 3 * hour);
  CAF_REQUIRE_EQUAL(ours.size(), 1u);
  CAF_CHECK_EQUAL(ours.front().leased_until_ms, clock + lease);
  CAF_CHECK(leased("ahead", 900 * hour).empty());
  x.rows->show(clock + 20'000);
  auto row = ours.front();
  row.changed_at_ms = 2 * hour; // it has set its clock back
  row.leased_until_ms = row.changed_at_ms + lease;
  x.ask(x.catalogue, store_transfer{row}).reply();
  x.rows->show(clock + 49'999);
  CAF_CHECK(leased("ahead", 900 * hour).empty());
  x.rows->show(clock + 50'000);
  CAF_CHECK_EQUAL(leased("behind", 1).size(), 1u);
}

CAF_TEST(a worker that takes long keeps its lease) {
  world x;
  x.keep("a", x.sound(60'000'000), 500'000);
  x.post(x.transfers, enqueue_upload{"a"});
  x.next_worker();
  auto now = x.transfer_of("a").changed_at_ms;
  auto begun = now;
  for (; !x.archived("a") && x.consume_message(); now += 500) {
    x.advance_time(500ms);
    CAF_REQUIRE(x.row_engine->lease("thief", now, now + 1, 1).empty());
  }
  CAF_CHECK(now - begun > 2 * x.options.each.lease.count());
  CAF_CHECK_EQUAL(x.counters.transfers_failed.Value(), 0);
}

CAF_TEST(while the catalogue is away nothing is accepted and then it goes on) {
  world x;
  auto piece = x.sound(5'000);
  x.keep("a", piece);
  x.keep("b", piece);
  x.post(x.transfers, enqueue_upload{"a"});
  x.next_worker();
  x.rows->away(true);
  CAF_CHECK_EQUAL(x.ask(x.transfers, enqueue_upload{"b"}).code(), ec::unavailable);
  x.pass(5min, 1s);
  x.rows->away(false);
  x.upload("b");
  x.pass_until([&] { return x.archived("a") && x.archived("b"); });
  x.check_archived("a", piece);
}

CAF_TEST(what another process enqueued is found within a minute) {
  world x;
  auto piece = x.sound(5'000);
  x.keep("a", piece);
  auto there = x.others(false);
  x.pass(90s);
  x.ask(there, enqueue_upload{"a"}).reply();
  CAF_CHECK_EQUAL(x.told("a"), "upload waiting 0");
  CAF_CHECK(x.pass_until([&] { return x.archived("a"); }) <= 61s);
  x.check_archived("a", piece);
}

CAF_TEST(processes share the work and nothing is done twice) {
  world x;
  x.others(true);
  auto piece = x.sound(3'000);
  for (int i = 0; i < 20; ++i) {
    x.keep(std::to_string(i), piece);
    x.post(x.transfers, enqueue_upload{std::to_string(i)});
  }
  x.pass(3min, 1s);
  for (int i = 0; i < 20; ++i)
    x.check_archived(std::to_string(i), piece);
  CAF_CHECK_EQUAL(x.counters.transfers_done.Value(), 20);
  CAF_CHECK_EQUAL(x.counters.transferred_bytes.Value(), 60'000);
}

CAF_TEST(no more transfers run at the same time than there are workers) {
  world x;
  for (int i = 0; i < 7; ++i) {
    x.keep(std::to_string(i), x.sound(2'000));
    x.post(x.transfers, enqueue_upload{std::to_string(i)});
  }
  double most = 0;
  while (x.consume_message())
    most = std::max(most, x.counters.transfers_running.Value());
  CAF_CHECK_EQUAL(most, 2);
  CAF_CHECK_EQUAL(x.counters.transfers_done.Value(), 7);
  CAF_CHECK_EQUAL(x.counters.transfers_running.Value(), 0);
}

CAF_TEST(what is done is to be seen for a while and then forgotten) {
  world x;
  x.upload("never there");
  x.pass(58min, 1min);
  CAF_CHECK_EQUAL(x.told("never there"), "upload done 0");
  x.pass(15min, 1min);
  CAF_CHECK_EQUAL(x.told("never there"), "nothing");
}

CAF_TEST(the actor tree shows what is under way) {
  world x;
  x.keep("a", x.sound(5'000));
  x.post(x.transfers, enqueue_upload{"a"});
  x.next_worker();
  auto tree = x.ask(x.transfers, describe_actor{}).reply();
  CAF_CHECK_EQUAL(tree.state, "1 running");
  CAF_REQUIRE_EQUAL(tree.children.size(), 1u);
  CAF_CHECK_EQUAL(tree.children.front().name, "upload a");
  CAF_CHECK_EQUAL(x.ask(x.others(false), describe_actor{}).reply().state, "done elsewhere");
}
