#define CAF_SUITE actors.generation.manager

#include "tests/support/generation_fixture.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

manager_options running(size_t most, size_t queued = 1000) {
  manager_options options;
  options.running = most;
  options.queued = queued;
  options.generator = "scripted";
  return options;
}

struct world : generation_world {
  explicit world(manager_options options = running(4)) : generation_world(std::move(options)) {}

  std::vector<uint64_t> begun() const { return script->begun; }
};

constexpr double whole_hour = 3600; // a real-time piece of this length runs until it is told otherwise

} // namespace

CAF_TEST(an accepted generation completes and sounds as scripted) {
  world x;
  auto accepted = x.accept(7, 2.4);
  CAF_CHECK_EQUAL(accepted.state, generation_state::queued);
  CAF_CHECK_EQUAL(accepted.seed, 7u);
  CAF_CHECK_EQUAL(accepted.generator, "scripted");
  CAF_CHECK(is_uuid(accepted.request_id));
  auto row = x.end_of(accepted.request_id);
  x.check_complete(accepted);
  CAF_CHECK_EQUAL(row.attempt, 1u);
  CAF_CHECK_EQUAL(row.generator_version, "1");
  CAF_CHECK_GREATER(row.ended_at_ms, 0);
  CAF_CHECK_EQUAL(x.stored(row.request_id).state, generation_state::completed);
  CAF_CHECK_EQUAL(x.counters.generations_completed.Value(), 1);
  CAF_CHECK_EQUAL(x.counters.generations_running.Value(), 0);
}

CAF_TEST(both streams can be opened once a generation is accepted) {
  world x{running(1)};
  x.accept(1, whole_hour, true);
  auto waiting = x.accept(2);
  for (const auto& path : {audio_path(waiting.request_id), events_path(waiting.request_id)})
    CAF_CHECK_EQUAL(x.ask(x.directory, find_stream{path}).code(), ec::none);
}

CAF_TEST(events tell the story in order with one end) {
  world x;
  auto row = x.accept(1, 12, true);
  x.end_of(row.request_id);
  auto all = x.events(row.request_id);
  CAF_CHECK_EQUAL(all.front().value("request_id", ""), row.request_id);
  CAF_CHECK_EQUAL(x.story(row.request_id), "queued started progress heartbeat progress completed");
  auto last = -1;
  for (const auto& event : all) {
    CAF_CHECK(event.contains("at"));
    if (event.value("type", "") != "progress")
      continue;
    CAF_CHECK_GREATER(event.value("percent", -1), last - 1);
    CAF_CHECK_EQUAL(event.value("bytes", 0u), event.value("audio_ms", 0u) * 16);
    last = event.value("percent", -1);
  }
  CAF_CHECK_EQUAL(all[1].value("attempt", 0), 1);
  CAF_CHECK_EQUAL(all[1]["plan"].value("key", ""), "C major");
}

CAF_TEST(an offset in an event is durable when the event is) {
  world x;
  auto row = x.accept(1, 6, true);
  while (!x.ended(row.request_id)) {
    x.pass(20ms);
    auto tail = x.store->load_row(audio_path(row.request_id))->tail;
    for (const auto& event : x.events(row.request_id))
      CAF_CHECK_LESS_OR_EQUAL(event.value("bytes", position{0}), tail);
  }
}

CAF_TEST(a piece whose sound ends with a chunk is made in one attempt) {
  world x;
  x.script->has_tail = false;
  auto row = x.accept(1, 2.4); // ten chunks, and nothing left for an eleventh
  x.end_of(row.request_id);
  x.check_complete(row);
  CAF_CHECK_EQUAL(x.find(row.request_id).attempt, 1u);
}

CAF_TEST(beyond its queue the manager is busy and later it is not) {
  world x{running(1, 2)};
  auto first = x.accept(1, whole_hour, true);
  x.accept(2);
  auto third = x.accept(3);
  start_generation wish{"user", "a waltz", 2.4, 4, false};
  CAF_CHECK_EQUAL(x.ask(x.manager, wish).code(), ec::busy);
  CAF_CHECK_EQUAL(x.counters.generations_refused.Value(), 1);
  CAF_CHECK_EQUAL(x.counters.generations_queued.Value(), 2);
  x.ask(x.manager, cancel_generation{first.request_id});
  x.end_of(third.request_id);
  CAF_CHECK_EQUAL(x.ask(x.manager, wish).code(), ec::none);
}

CAF_TEST(at most so many run at once and in accepted order) {
  world x{running(2)};
  std::vector<generation_row> rows;
  for (uint64_t seed = 1; seed <= 6; ++seed)
    rows.push_back(x.accept(seed, 5, true));
  x.consume_messages();
  CAF_CHECK_EQUAL(x.begun(), (std::vector<uint64_t>{1, 2}));
  CAF_CHECK_EQUAL(x.counters.generations_running.Value(), 2);
  CAF_CHECK_EQUAL(x.counters.generations_queued.Value(), 4);
  for (int step = 0; step < 1000 && !x.ended(rows.back().request_id); ++step) {
    x.pass(50ms);
    auto unfinished = x.begun().size() - static_cast<size_t>(x.counters.generations_completed.Value());
    CAF_CHECK_LESS_OR_EQUAL(unfinished, 2u);
  }
  CAF_CHECK_EQUAL(x.begun(), (std::vector<uint64_t>{1, 2, 3, 4, 5, 6}));
  for (const auto& row : rows)
    x.check_complete(row);
}

CAF_TEST(the place in the queue is told in the row and whenever it changes in the events) {
  world x{running(1)};
  auto first = x.accept(1, whole_hour, true);
  auto second = x.accept(2, 2.4);
  auto third = x.accept(3, 2.4);
  auto places = [&] {
    std::string told;
    for (const auto& event : x.events(third.request_id))
      if (event.value("type", "") == "queued")
        told += std::to_string(event.value("place", 0)) + " ";
    return told;
  };
  CAF_CHECK_EQUAL(x.find(first.request_id).place, 0u);
  CAF_CHECK_EQUAL(x.find(second.request_id).place, 1u);
  CAF_CHECK_EQUAL(x.find(third.request_id).place, 2u);
  x.pass(1s);
  CAF_CHECK_EQUAL(places(), "2 ");
  x.crash();
  x.start_again();
  x.pass(1s);
  CAF_CHECK_EQUAL(places(), "2 2 "); // a new life does not know what was told
  x.ask(x.manager, cancel_generation{second.request_id});
  x.pass(1s);
  CAF_CHECK_EQUAL(places(), "2 2 1 ");
  x.ask(x.manager, cancel_generation{first.request_id});
  x.end_of(third.request_id);
  CAF_CHECK_EQUAL(x.find(third.request_id).place, 0u);
  CAF_CHECK_EQUAL(x.events(third.request_id).back().value("type", ""), "completed");
}

CAF_TEST(a queued generation is cancelled without a sound) {
  world x{running(1)};
  x.accept(1, whole_hour, true);
  auto row = x.accept(2);
  auto cancelled = x.ask(x.manager, cancel_generation{row.request_id}).reply().row;
  CAF_CHECK_EQUAL(cancelled.state, generation_state::cancelled);
  CAF_CHECK_EQUAL(x.story(row.request_id), "queued cancelled");
  CAF_CHECK_EQUAL(x.content(audio_path(row.request_id)), "");
  CAF_CHECK(x.store->load_row(audio_path(row.request_id))->closed);
  CAF_CHECK_EQUAL(x.begun(), (std::vector<uint64_t>{1}));
  CAF_CHECK_EQUAL(x.counters.generations_running.Value(), 1);
}

CAF_TEST(a cancelled generation whose end was recorded before ends like that) {
  world x{running(1)};
  x.accept(1, whole_hour, true);
  auto row = x.accept(2);
  row.decided = generation_state::failed;
  row.reason = "no strings";
  x.crash();
  CAF_CHECK(x.rows->store(row));
  x.start_again();
  auto ended = x.ask(x.manager, cancel_generation{row.request_id}).reply().row;
  CAF_CHECK_EQUAL(ended.state, generation_state::failed);
  CAF_CHECK_EQUAL(ended.reason, "no strings");
  CAF_CHECK_EQUAL(x.stored(row.request_id).state, generation_state::failed);
  CAF_CHECK_EQUAL(x.story(row.request_id), "queued failed");
}

CAF_TEST(a running generation is cancelled and what was made stays) {
  world x;
  auto row = x.accept(1, whole_hour, true);
  x.pass(2s);
  auto cancelled = x.ask(x.manager, cancel_generation{row.request_id}).reply().row;
  CAF_CHECK_EQUAL(cancelled.state, generation_state::cancelled);
  auto made = x.content(audio_path(row.request_id));
  CAF_CHECK_EQUAL(made.size(), cancelled.audio_bytes);
  CAF_CHECK_GREATER(made.size(), 5 * 16'000u - 4'000); // two seconds and the lead of three
  CAF_CHECK(x.script->piece(1, 10).starts_with(made));
  CAF_CHECK_EQUAL(x.story(row.request_id), "queued started progress cancelled");
  x.pass(20s, 100ms);
  CAF_CHECK_EQUAL(x.content(audio_path(row.request_id)).size(), made.size());
  CAF_CHECK_EQUAL(x.find(row.request_id).state, generation_state::cancelled);
}

CAF_TEST(cancelling what has ended or never was changes nothing) {
  world x;
  auto row = x.accept();
  x.end_of(row.request_id);
  CAF_CHECK_EQUAL(x.ask(x.manager, cancel_generation{row.request_id}).reply().row.state, generation_state::completed);
  x.check_complete(row);
  CAF_CHECK_EQUAL(x.ask(x.manager, cancel_generation{new_uuid()}).code(), ec::not_found);
}

CAF_TEST(purging removes the row and both streams) {
  world x{running(1)};
  auto ended = x.accept(1);
  x.end_of(ended.request_id);
  auto running = x.accept(2, whole_hour, true);
  auto queued = x.accept(3);
  x.pass(1s);
  for (const auto& row : {ended, queued, running}) {
    CAF_CHECK_EQUAL(x.ask(x.manager, purge_generation{row.request_id}).code(), ec::none);
    CAF_CHECK_EQUAL(x.ask(x.manager, find_generation{row.request_id, {}}).code(), ec::not_found);
    CAF_CHECK(!x.rows->find(row.request_id));
    for (const auto& path : {audio_path(row.request_id), events_path(row.request_id)}) {
      CAF_CHECK(!x.store->load_row(path));
      CAF_CHECK_EQUAL(x.ask(x.directory, find_stream{path}).code(), ec::not_found);
    }
  }
  CAF_CHECK_EQUAL(x.ask(x.manager, purge_generation{ended.request_id}).code(), ec::not_found);
  CAF_CHECK_EQUAL(x.counters.generations_running.Value(), 0);
}

CAF_TEST(a generator that fails makes a durable failure with its reason) {
  world x;
  x.script->fails_at_frame = 25;
  auto row = x.accept();
  auto failed = x.end_of(row.request_id);
  CAF_CHECK_EQUAL(failed.state, generation_state::failed);
  CAF_CHECK(failed.reason.find("the strings broke") != std::string::npos);
  CAF_CHECK(*x.rows->find(row.request_id) == failed);
  CAF_CHECK_EQUAL(x.events(row.request_id).back().value("reason", ""), failed.reason);
  CAF_CHECK_EQUAL(x.story(row.request_id), "queued started progress failed");
  CAF_CHECK(x.script->piece(1, 2.4).starts_with(x.content(audio_path(row.request_id))));
}

CAF_TEST(a generator that cannot begin makes a durable failure) {
  world x;
  x.script->cannot_begin = true;
  auto row = x.accept();
  auto failed = x.end_of(row.request_id);
  CAF_CHECK_EQUAL(failed.state, generation_state::failed);
  CAF_CHECK(failed.reason.find("no strings") != std::string::npos);
  CAF_CHECK_EQUAL(x.story(row.request_id), "queued failed");
}

CAF_TEST(in real time a piece takes as long as the music) {
  world x;
  auto row = x.accept(1, 30, true);
  std::chrono::milliseconds passed{0};
  for (; !x.ended(row.request_id) && passed < 1min; passed += 20ms) {
    x.pass(20ms);
    auto made = sound_ms(x.store->load_row(audio_path(row.request_id))->tail);
    CAF_CHECK_LESS_OR_EQUAL(made, static_cast<uint64_t>(passed.count()) + 20 + 3'000 + 240);
    if (!x.ended(row.request_id))
      CAF_CHECK_GREATER_OR_EQUAL(made + 40, static_cast<uint64_t>(passed.count()) + 3'000);
  }
  CAF_CHECK_GREATER_OR_EQUAL(passed.count(), 26'500); // the lead of three seconds is made at once
  CAF_CHECK_LESS_OR_EQUAL(passed.count(), 30'000);
  x.check_complete(row);
  auto all = x.events(row.request_id);
  CAF_CHECK_EQUAL(std::count_if(all.begin(), all.end(), [](auto& e) { return e.value("type", "") == "heartbeat"; }), 5);
}

CAF_TEST(generations are found and listed with what is known of them now) {
  world x{running(1)};
  auto first = x.accept(1, whole_hour, true);
  auto second = x.accept(2);
  x.pass(1s);
  CAF_CHECK_EQUAL(x.find(first.request_id).state, generation_state::running);
  CAF_CHECK_GREATER(x.find(first.request_id).audio_bytes, 3 * 16'000u);
  CAF_CHECK_EQUAL(x.ask(x.manager, find_generation{first.request_id, "user"}).code(), ec::none);
  CAF_CHECK_EQUAL(x.ask(x.manager, find_generation{first.request_id, "another"}).code(), ec::not_found);
  auto listed = x.ask(x.manager, list_generations{"user", 1, {}}).reply();
  CAF_CHECK(listed.more);
  CAF_CHECK_EQUAL(listed.rows.front().request_id, second.request_id);
  listed = x.ask(x.manager, list_generations{{}, 5, second.request_id}).reply();
  CAF_CHECK(!listed.more);
  CAF_CHECK_EQUAL(listed.rows.front().audio_bytes, x.find(first.request_id).audio_bytes);
  CAF_CHECK_EQUAL(x.ask(x.manager, list_generations{{}, 5, new_uuid()}).code(), ec::not_found);
}
