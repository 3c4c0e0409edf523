// Generations while actors die and stores fail: delayed, never doubled, never lost.
#define CAF_SUITE actors.generation.manager_faults

#include "tests/support/forgetful_store.hpp"
#include "tests/support/generation_fixture.hpp"

#include "tests/support/faulty_catalogue.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

struct world : generation_world {
  /// Lets at most so many messages be handled. False: there were fewer.
  bool step(size_t messages) {
    for (; messages > 0; --messages)
      if (!consume_message())
        return false;
    return true;
  }
};

} // namespace

CAF_TEST(a killed generation is started again and its sound is gapless and not doubled) {
  world x;
  auto row = x.accept(1, 30, true);
  for (uint64_t kills = 1; kills <= 3; ++kills) {
    x.pass(2s);
    x.kill(x.performer());
    x.pass(20ms);
    CAF_CHECK_EQUAL(x.find(row.request_id).attempt, kills + 1);
  }
  x.end_of(row.request_id);
  x.check_complete(row);
  CAF_CHECK_EQUAL(x.counters.restarts.Value(), 3);
  auto all = x.events(row.request_id);
  auto resumed = std::find_if(all.rbegin(), all.rend(), [](auto& e) { return e.value("type", "") == "started"; });
  CAF_CHECK_EQUAL(resumed->value("attempt", 0), 4);
  CAF_CHECK_GREATER(resumed->value("resumed_at_ms", 0), 8'000); // six seconds and the lead of three
}

CAF_TEST(a generation can be killed at any point) {
  at_every_point(7, [](size_t at) {
    world x;
    auto row = x.accept(at, 1.2);
    auto more = x.step(at);
    x.kill(x.performer());
    x.end_of(row.request_id);
    x.check_complete(row);
    return more;
  });
}

CAF_TEST(a stream can be killed at any point) {
  at_every_point(7, [](size_t at) {
    world x;
    auto row = x.accept(at, 1.2);
    auto more = x.step(at);
    auto path = at % 2 == 0 ? audio_path(row.request_id) : events_path(row.request_id);
    auto stream = x.post(x.directory, find_stream{path});
    while (!stream.here() && x.consume_message()) {
    }
    x.kill(stream.reply().stream);
    x.end_of(row.request_id);
    x.check_complete(row);
    return more;
  });
}

CAF_TEST(a generation killed while the fate of its sound is unknown does not double it) {
  for (auto how : {fault::after_write, fault::before_write}) {
    world x;
    auto row = x.accept(1, 12, true);
    x.pass(2s);
    auto before = x.store->faults();
    x.store->fail_commits(how);
    x.store->fail_reopens(20); // for two seconds
    x.pass_until([&] { return x.store->faults() > before; });
    x.kill(x.performer());
    x.end_of(row.request_id);
    x.check_complete(row);
  }
}

CAF_TEST(a generation that keeps dying fails durably) {
  world x;
  auto row = x.accept(1, 60, true);
  for (int kills = 0; kills < 6; ++kills) {
    x.pass(500ms);
    x.kill(x.performer());
  }
  auto failed = x.end_of(row.request_id);
  CAF_CHECK_EQUAL(failed.state, generation_state::failed);
  CAF_CHECK(failed.reason.find("several times") != std::string::npos);
  CAF_CHECK_EQUAL(x.stored(row.request_id).state, generation_state::failed);
  CAF_CHECK_EQUAL(x.events(row.request_id).back().value("type", ""), "failed");
  CAF_CHECK(x.script->piece(1, 60).starts_with(x.content(audio_path(row.request_id))));
}

CAF_TEST(after the death of all actors the rest is made and the sound is the same) {
  at_every_point(11, [](size_t at) {
    world x;
    auto first = x.accept(at, 1.2);
    auto second = x.accept(at + 1, 0.6);
    auto more = x.step(at);
    x.crash();
    x.start_again();
    for (const auto& row : {first, second}) {
      x.end_of(row.request_id);
      x.check_complete(row);
    }
    return more;
  });
}

CAF_TEST(a crash after a crash changes nothing) {
  for (size_t at = 5; at < 200; at += 31) {
    world x;
    auto row = x.accept(at, 1.2);
    for (int crashes = 0; crashes < 4; ++crashes) {
      x.step(at);
      x.crash();
      x.start_again();
    }
    x.end_of(row.request_id);
    x.check_complete(row);
  }
}

CAF_TEST(a restart of everything with engines on disk completes with the same bytes) {
  chunk_store_engine chunks{"rocksdb:"};
  catalogue_engine rows{"sqlite:"};
  generation_row row;
  auto ended = false;
  for (int life = 0; life < 10 && !ended; ++life) {
    {
      generation_fixture x{chunks.get(), rows.get()};
      if (life == 0)
        row = x.accept(1, 10, true);
      x.pass(1'500ms);
      ended = x.ended(row.request_id);
      if (ended)
        x.check_complete(row);
      x.crash();
    }
    chunks.restart();
    rows.restart();
  }
  CAF_CHECK(ended);
}

CAF_TEST(any one commit may fail and only delays a generation) {
  for (auto how : {fault::before_write, fault::after_write, fault::full})
    at_every_point(1, [how](size_t at) {
      world x;
      x.store->fail_commits(how, 1, at - 1);
      x.store->fail_reopens(at % 3);
      auto row = x.accept(at, 1.2);
      x.end_of(row.request_id);
      x.check_complete(row);
      return x.store->faults() > 0;
    });
}

CAF_TEST(a store that is away for a while only delays a generation) {
  for (auto how : {fault::before_write, fault::after_write}) {
    world x;
    auto row = x.accept(1, 10, true);
    x.pass(1s);
    x.store->fail_commits(how);
    x.store->fail_reopens(40);
    x.pass(2s);
    CAF_CHECK_EQUAL(x.find(row.request_id).state, generation_state::running);
    x.end_of(row.request_id);
    x.check_complete(row);
  }
}

CAF_TEST(a generation whose store has lost what was acknowledged goes on from what is left) {
  struct loss {
    bool whole;   ///< of its streams as well
    bool unknown; ///< and what is written next fails
    bool deaf;    ///< and the actors of its streams die
  };
  for (auto [whole, unknown, deaf] : {loss{}, loss{.unknown = true}, loss{.whole = true}, loss{.whole = true, .deaf = true}}) {
    chunk_store_engine engine{"memory:"};
    chunk_store_engine saved{"memory:"};
    catalogue_engine rows{"sqlite::memory:"};
    auto store = std::make_shared<forgetful_store>(engine.get(), saved.get());
    generation_fixture x{store, rows.get()};
    if (whole)
      store->stop_saving();
    auto row = x.accept(1, 12, true);
    x.pass(2s);
    store->stop_saving();
    x.pass(2s);
    const auto paths = {audio_path(row.request_id), events_path(row.request_id)};
    std::vector<stream_actor> streams;
    for (const auto& path : paths)
      streams.push_back(x.ask(x.directory, find_stream{path}).reply().stream);
    store->forget();
    if (unknown)
      x.store->fail_commits(fault::before_write);
    if (deaf)
      for (const auto& stream : streams)
        x.kill(stream);
    x.end_of(row.request_id);
    x.check_complete(row);
    for (const auto& path : paths)
      CAF_CHECK_EQUAL(x.ask(x.directory, find_stream{path}).reply().row.user_id, row.user_id);
  }
}

CAF_TEST(a generation that stops while the catalogue is away goes on when it is back) {
  chunk_store_engine chunks{"memory:"};
  catalogue_engine rows{"sqlite::memory:"};
  auto catalogue = std::make_shared<faulty_catalogue>(rows.get(), std::make_shared<failing_calls>());
  generation_fixture x{chunks.get(), catalogue};
  auto first = x.accept(1, 12, true);
  auto second = x.accept(2, 12, true);
  x.pass(2s);
  catalogue->away(true);
  auto dead = x.script->performers;
  for (const auto& performer : dead)
    x.kill(caf::actor_cast<caf::actor>(performer));
  auto cancelled = x.post(x.manager, cancel_generation{second.request_id});
  x.pass(5s);
  CAF_CHECK(!cancelled.here());
  catalogue->away(false);
  x.end_of(first.request_id);
  x.check_complete(first);
  CAF_CHECK_EQUAL(cancelled.reply().row.state, generation_state::cancelled);
  CAF_CHECK_EQUAL(x.counters.restarts.Value(), 2);
}

CAF_TEST(a cancellation can meet any point) {
  at_every_point(1, [](size_t at) {
    world x;
    auto row = x.accept(at, 1.2);
    auto more = x.step(at);
    auto answer = x.post(x.manager, cancel_generation{row.request_id});
    auto end = x.end_of(row.request_id);
    CAF_CHECK_EQUAL(answer.reply().row.state, end.state);
    auto made = x.content(audio_path(row.request_id));
    if (end.state == generation_state::completed) // that was decided before
      CAF_CHECK(made == x.script->piece(at, 1.2));
    else
      CAF_CHECK_EQUAL(end.state, generation_state::cancelled);
    CAF_CHECK(x.script->piece(at, 1.2).starts_with(made));
    CAF_CHECK_EQUAL(x.events(row.request_id).back().value("type", ""), to_string(end.state));
    return more;
  });
}

CAF_TEST(a cancellation while everything starts again is carried out or refused) {
  size_t refused = 0;
  at_every_point(1, [&](size_t at) {
    world x;
    auto row = x.accept(at, 1.2);
    x.step(30);
    x.crash();
    x.start();
    x.start_manager();
    auto more = x.step(at - 1);
    auto answer = x.post(x.manager, cancel_generation{row.request_id});
    auto end = x.end_of(row.request_id);
    if (answer.code() == ec::none)
      CAF_CHECK_EQUAL(answer.reply().row.state, end.state);
    else
      CAF_CHECK_EQUAL(answer.code(), ec::unavailable);
    refused += answer.code() != ec::none;
    return more;
  });
  CAF_CHECK_GREATER(refused, 0u);
}

CAF_TEST(a purge can meet any point) {
  at_every_point(1, [](size_t at) {
    world x;
    auto row = x.accept(at, 0.6);
    auto more = x.step(at);
    auto answer = x.post(x.manager, purge_generation{row.request_id});
    x.pass(2s);
    CAF_CHECK_EQUAL(answer.code(), ec::none);
    CAF_CHECK(!x.rows->find(row.request_id));
    for (const auto& path : {audio_path(row.request_id), events_path(row.request_id)})
      CAF_CHECK(!x.store->load_row(path));
    return more;
  });
}

CAF_TEST(an interrupted purge is finished at the next start) {
  at_every_point(1, [](size_t at) {
    world x;
    auto row = x.accept(1, 0.6);
    x.end_of(row.request_id);
    x.post(x.manager, purge_generation{row.request_id});
    auto more = x.step(at);
    x.crash();
    x.start_again();
    x.pass(1s);
    auto kept = x.rows->find(row.request_id);
    if (kept) // it was not even begun
      CAF_CHECK_EQUAL(kept->state, generation_state::completed);
    for (const auto& path : {audio_path(row.request_id), events_path(row.request_id)})
      CAF_CHECK_EQUAL(x.store->load_row(path).has_value(), kept.has_value());
    return more;
  });
}
