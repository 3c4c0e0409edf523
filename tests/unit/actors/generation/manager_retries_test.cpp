// Generations whose generator breaks off: tried again, never doubled, and not for ever.
#define CAF_SUITE actors.generation.manager_retries

#include "tests/support/generation_fixture.hpp"

#include <random>

#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

manager_options patient(size_t fruitless = 5) {
  manager_options options;
  options.generator = "scripted";
  options.each.attempts.fruitless = fruitless;
  return options;
}

struct world : generation_world {
  explicit world(manager_options options = patient()) : generation_world(std::move(options)) {}

  /// Lets at most so many messages be handled, and time go by when there are none. False: it ended before.
  bool step(const std::string& id, size_t messages) {
    for (; messages > 0; --messages)
      if (!consume_message()) {
        if (ended(id))
          return false;
        pass(20ms, 20ms);
      }
    return true;
  }

  std::vector<nlohmann::json> started(const std::string& id) {
    auto all = events(id);
    std::erase_if(all, [](const auto& x) { return x.value("type", "") != "started"; });
    return all;
  }

  /// Attempts count up, and each begins where the ones before had come.
  void check_starts(const std::string& id) {
    uint64_t attempt = 0;
    uint64_t resumed_at = 0;
    for (const auto& x : started(id)) {
      CAF_CHECK_GREATER(x.value("attempt", uint64_t{0}), attempt);
      CAF_CHECK_GREATER_OR_EQUAL(x.value("resumed_at_ms", uint64_t{0}), resumed_at);
      attempt = x.value("attempt", uint64_t{0});
      resumed_at = x.value("resumed_at_ms", uint64_t{0});
    }
  }
};

} // namespace

CAF_TEST(an attempt that breaks off is followed by another and the sound is gapless and not doubled) {
  for (bool resumes : {false, true}) {
    world x;
    x.script->breaks = {25, 60, 0, 61, 90};
    x.script->resumes = resumes;
    auto row = x.accept(1, 2.4);
    auto end = x.end_of(row.request_id);
    x.check_complete(row);
    CAF_CHECK_EQUAL(end.attempt, 6u);
    CAF_CHECK_EQUAL(x.counters.attempts_broken.Value(), 5);
    CAF_CHECK_EQUAL(x.counters.restarts.Value(), 0); // the generation lives on
    CAF_CHECK_EQUAL(x.started(row.request_id).size(), 5u); // the third did not begin
    x.check_starts(row.request_id);
  }
}

CAF_TEST(a generator is told who asks and where the sound goes on) {
  world x;
  x.script->breaks = {25, 60};
  auto row = x.accept(7, 2.4);
  x.end_of(row.request_id);
  CAF_REQUIRE_EQUAL(x.script->asked.size(), 3u);
  uint64_t attempt = 0;
  for (const auto& wish : x.script->asked) {
    CAF_CHECK_EQUAL(wish.prompt, "a waltz");
    CAF_CHECK_EQUAL(wish.user_id, "user");
    CAF_CHECK_EQUAL(wish.request_id, row.request_id);
    CAF_CHECK_EQUAL(wish.seed, 7u);
    CAF_CHECK_EQUAL(wish.attempt, ++attempt);
  }
  CAF_CHECK_EQUAL(x.script->asked[0].resume_at_ms, 0u);
  CAF_CHECK_EQUAL(x.script->asked[1].resume_at_ms, 240u); // 25 frames are 600 ms
  CAF_CHECK_EQUAL(x.script->asked[2].resume_at_ms, 1'200u); // 60 are 1,440
}

CAF_TEST(a generator may begin between two frames or think for long) {
  for (uint64_t late : {0, 1, 1'151, 1'152, 5'000}) {
    world x;
    x.script->breaks = {25, 60};
    x.script->resumes = true;
    x.script->late = late;
    x.script->thinks = 3;
    auto row = x.accept(1, 2.4);
    x.end_of(row.request_id);
    x.check_complete(row);
    CAF_CHECK_EQUAL(x.find(row.request_id).attempt, 3u);
  }
}

CAF_TEST(a generator that begins behind the tail has left a gap and is asked again) {
  world x;
  x.script->breaks = {25};
  x.script->resumes = true;
  x.script->late = 16 * frame_samples; // it is asked to begin 15 frames before the tail
  auto row = x.accept(1, 2.4);
  auto end = x.end_of(row.request_id);
  CAF_CHECK_EQUAL(end.state, generation_state::failed);
  CAF_CHECK_EQUAL(end.attempt, 6u);
  CAF_CHECK(end.reason.find("it began at 624 ms, and the sound so far ends at 600 ms") != std::string::npos);
  CAF_CHECK_EQUAL(end.audio_bytes, 25 * frame_bytes);
}

CAF_TEST(a dead generator ends in a durable failure with its reason) {
  auto options = patient();
  options.each.heartbeat = 1min;
  world x{options};
  x.script->breaks = {0, 0, 0, 0, 0};
  auto row = x.accept();
  auto took = x.pass_until([&] { return x.ended(row.request_id); });
  auto end = x.stored(row.request_id);
  CAF_CHECK_EQUAL(end.state, generation_state::failed);
  CAF_CHECK_EQUAL(end.attempt, 5u);
  CAF_CHECK_EQUAL(end.reason,
      "given up after 5 attempts in a row that added no sound; the generator could not begin: nobody there");
  CAF_CHECK_EQUAL(x.story(row.request_id), "queued failed");
  CAF_CHECK_EQUAL(x.events(row.request_id).back().value("reason", ""), end.reason);
  CAF_CHECK_GREATER_OR_EQUAL(took.count(), caf::timespan{3'750ms}.count()); // half of 0.5, 1, 2 and 4 s
  CAF_CHECK_LESS_OR_EQUAL(took.count(), caf::timespan{7'700ms}.count());
}

CAF_TEST(what moves is never given up) {
  world x{patient(2)};
  for (size_t frame = 1; frame < 100; frame += 3) {
    x.script->breaks.push_back(frame);
    x.script->breaks.push_back(0);
  }
  auto row = x.accept(1, 2.4);
  auto end = x.end_of(row.request_id);
  x.check_complete(row);
  CAF_CHECK_EQUAL(end.attempt, 67u);
}

CAF_TEST(the events give signs of life while nothing comes) {
  auto options = patient();
  options.each.attempts.pause = 24s;
  world x{options};
  x.script->breaks = {0};
  auto row = x.accept();
  x.end_of(row.request_id);
  x.check_complete(row);
  auto story = x.story(row.request_id);
  CAF_CHECK(story.starts_with("queued heartbeat heartbeat"));
  CAF_CHECK(story.ends_with("heartbeat started progress completed"));
}

CAF_TEST(whatever breaks off whenever the piece is whole) {
  for (unsigned seed = 1; seed <= 150; ++seed) {
    std::minstd_rand dice{seed * 7'919};
    auto upto = [&dice](size_t most) { return dice() % (most + 1); };
    world x{patient(100)};
    for (auto breaks = upto(8); breaks > 0; --breaks)
      x.script->breaks.push_back(upto(3) == 0 ? 0 : upto(60));
    x.script->resumes = upto(1) == 0;
    x.script->late = upto(9 * frame_samples);
    x.script->thinks = upto(2);
    x.script->has_tail = upto(1) == 0;
    auto row = x.accept(seed, 1.2, upto(3) == 0);
    for (auto disturbances = upto(3); disturbances > 0; --disturbances) {
      x.step(row.request_id, upto(200));
      switch (upto(2)) {
      case 0:
        x.kill(x.performer());
        break;
      case 1:
        x.crash();
        x.start_again();
        break;
      default:
        x.store->fail_commits(upto(1) == 0 ? fault::after_write : fault::before_write);
        x.store->fail_reopens(upto(5));
      }
    }
    auto end = x.end_of(row.request_id);
    CAF_MESSAGE("seed " << seed << ": " << end.attempt << " attempts");
    x.check_complete(row);
    x.check_starts(row.request_id);
  }
}

CAF_TEST(a generation that breaks off can be killed at any point) {
  at_every_point(7, [](size_t at) {
    world x;
    x.script->breaks = {10, 0, 30};
    x.script->resumes = true;
    auto row = x.accept(at, 1.2);
    auto more = x.step(row.request_id, at);
    x.kill(x.performer());
    x.end_of(row.request_id);
    x.check_complete(row);
    x.check_starts(row.request_id);
    return more;
  });
}

CAF_TEST(after the death of all actors a generation that broke off goes on) {
  at_every_point(11, [](size_t at) {
    world x;
    x.script->breaks = {10, 0, 30, 0, 31};
    x.script->resumes = true;
    auto row = x.accept(at, 1.2);
    auto more = x.step(row.request_id, at);
    x.crash();
    x.start_again();
    x.end_of(row.request_id);
    x.check_complete(row);
    x.check_starts(row.request_id);
    return more;
  });
}

CAF_TEST(any one commit may fail and only delays a generation that breaks off) {
  for (auto how : {fault::before_write, fault::after_write, fault::full})
    at_every_point(1, [how](size_t at) {
      world x;
      x.script->breaks = {10, 20, 0, 30};
      x.store->fail_commits(how, 1, at - 1);
      x.store->fail_reopens(at % 3);
      auto row = x.accept(at, 1.2);
      x.end_of(row.request_id);
      x.check_complete(row);
      return x.store->faults() > 0;
    });
}

CAF_TEST(a cancellation can meet any point of attempts that break off) {
  at_every_point(3, [](size_t at) {
    world x;
    x.script->breaks = {10, 0, 0, 30};
    auto row = x.accept(at, 1.2);
    auto more = x.step(row.request_id, at);
    auto answer = x.post(x.manager, cancel_generation{row.request_id});
    auto took = x.pass_until([&] { return x.ended(row.request_id); });
    auto end = x.find(row.request_id);
    CAF_CHECK_EQUAL(answer.reply().row.state, end.state);
    CAF_CHECK(end.state == generation_state::cancelled || end.state == generation_state::completed);
    CAF_CHECK_LESS_OR_EQUAL(took.count(), caf::timespan{100ms}.count()); // no pause is waited for
    CAF_CHECK(x.script->piece(at, 1.2).starts_with(x.content(audio_path(row.request_id))));
    CAF_CHECK_EQUAL(x.events(row.request_id).back().value("type", ""), to_string(end.state));
    return more;
  });
}
