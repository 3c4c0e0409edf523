#define CAF_SUITE actors.generation.lifecycle

#include "actors/generation/lifecycle.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/support/test.hpp"

using namespace segue;

namespace {

using step = lifecycle::step;
using state = generation_state;
using steps = std::vector<std::string>;

std::string name_of(step x) {
  constexpr const char* names[] = {"open_streams", "announce", "read_end", "record_start", "open_sound",
      "announce_start", "make_sound", "back_off", "record_ending", "close_audio", "end_events", "record_end", "done"};
  return names[static_cast<size_t>(x)];
}

generation_row fresh_row() {
  generation_row row;
  row.request_id = "id";
  return row;
}

/// A row as an earlier attempt left it.
generation_row started_row(state decided = state::queued) {
  auto row = fresh_row();
  row.state = state::running;
  row.attempt = 1;
  row.started_at_ms = 5;
  row.decided = decided;
  return row;
}

struct streams {
  position audio_tail = 0;
  bool audio_closed = false;
  bool events_closed = false;
};

/// Something that happens just before a step is taken; make_sound completes the piece unless told otherwise.
using happenings = std::map<step, std::function<void(lifecycle&)>>;

/// Takes every step to the end, twice if asked for, and returns their names.
steps walk(lifecycle& life, streams found, happenings happens = {}, bool twice = false) {
  happens.emplace(step::make_sound, [](lifecycle& x) { x.decide(state::completed); });
  happens.emplace(step::read_end, [](lifecycle& x) { x.learned_end(state::failed, "broke"); });
  steps taken;
  while (taken.size() < 30) {
    auto next = life.next();
    taken.push_back(name_of(next));
    if (next == step::done)
      return taken;
    if (auto what = happens.find(next); what != happens.end())
      what->second(life);
    for (int i = 0; i < (twice ? 2 : 1); ++i) {
      if (next == step::open_streams) {
        stream_row audio;
        audio.tail = found.audio_tail;
        audio.closed = found.audio_closed;
        stream_row events;
        events.closed = found.events_closed;
        life.found_streams(audio, events);
      }
      if (next == step::record_start)
        life.started(7);
      life.complete(next);
    }
  }
  return taken;
}

const steps beginning{"open_streams", "announce", "record_start", "open_sound", "announce_start", "make_sound"};
const steps ending{"record_ending", "close_audio", "end_events", "record_end", "done"};

steps operator+(steps a, const steps& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

} // namespace

CAF_TEST(every life is a new attempt) {
  lifecycle first{fresh_row()};
  CAF_CHECK_EQUAL(first.row().attempt, 1u);
  lifecycle second{started_row()};
  CAF_CHECK_EQUAL(second.row().attempt, 2u);
}

CAF_TEST(a fresh generation goes from the queue to its completion) {
  lifecycle life{fresh_row()};
  CAF_CHECK(!life.decided());
  CAF_CHECK_EQUAL(walk(life, {}), beginning + ending);
  CAF_CHECK(life.row().state == state::completed);
  CAF_CHECK(life.row().decided == state::completed);
  CAF_CHECK_EQUAL(life.row().started_at_ms, 7);
  CAF_CHECK(life.row().ended_at_ms > 0);
}

CAF_TEST(one that is cancelled while queued is announced and ended without a sound) {
  auto row = fresh_row();
  row.decided = state::cancelled;
  lifecycle life{row};
  CAF_CHECK_EQUAL(walk(life, {}), (steps{"open_streams", "announce"}) + ending);
  CAF_CHECK(life.row().state == state::cancelled);
  CAF_CHECK_EQUAL(life.row().started_at_ms, 0);
}

CAF_TEST(one that is cancelled before any step goes to its end with the next step) {
  for (size_t i = 0; i < beginning.size(); ++i) {
    lifecycle life{fresh_row()};
    auto cancel = [](lifecycle& x) { x.decide(state::cancelled); };
    auto taken = walk(life, {}, {{static_cast<step>(i == 0 ? 0 : i == 1 ? 1 : i + 1), cancel}});
    auto before = std::max<size_t>(i + 1, 2); // it is announced in any case
    CAF_CHECK_EQUAL(taken, (steps{beginning.begin(), beginning.begin() + static_cast<ptrdiff_t>(before)}) + ending);
    CAF_CHECK(life.row().state == state::cancelled);
  }
}

CAF_TEST(one whose generator cannot begin has failed) {
  lifecycle life{fresh_row()};
  auto taken = walk(life, {}, {{step::open_sound, [](lifecycle& x) { x.decide(state::failed, "no soundfont"); }}});
  CAF_CHECK_EQUAL(taken, (steps{"open_streams", "announce", "record_start", "open_sound"}) + ending);
  CAF_CHECK(life.row().state == state::failed);
  CAF_CHECK_EQUAL(life.row().reason, "no soundfont");
}

CAF_TEST(one that is recovered in the middle begins again behind the sound it has) {
  lifecycle life{started_row()};
  CAF_CHECK_EQUAL(walk(life, {5'000, false, false}), beginning + ending);
  CAF_CHECK_EQUAL(life.row().audio_bytes, 5'000u);
  CAF_CHECK(life.row().state == state::completed);
}

CAF_TEST(one that is recovered after the decision only ends) {
  for (auto how : {state::completed, state::failed, state::cancelled}) {
    lifecycle life{started_row(how)};
    CAF_CHECK_EQUAL(walk(life, {5'000, false, false}), (steps{"open_streams", "announce"}) + ending);
    CAF_CHECK(life.row().state == how);
  }
}

CAF_TEST(one that is recovered with closed audio does not close it again) {
  lifecycle life{started_row(state::cancelled)};
  CAF_CHECK_EQUAL(walk(life, {5'000, true, false}),
      (steps{"open_streams", "announce", "record_ending", "end_events", "record_end", "done"}));
  CAF_CHECK(life.row().state == state::cancelled);
}

CAF_TEST(one that is recovered with closed events gets no further event) {
  lifecycle life{started_row(state::failed)};
  CAF_CHECK_EQUAL(walk(life, {5'000, true, true}), (steps{"open_streams", "record_ending", "record_end", "done"}));
  CAF_CHECK(life.row().state == state::failed);
}

CAF_TEST(one whose row lost the decision learns it from the closed events) {
  lifecycle life{started_row()};
  CAF_CHECK_EQUAL(
      walk(life, {5'000, true, true}), (steps{"open_streams", "read_end", "record_ending", "record_end", "done"}));
  CAF_CHECK(life.row().state == state::failed);
  CAF_CHECK(life.row().decided == state::failed);
  CAF_CHECK_EQUAL(life.row().reason, "broke");
}

CAF_TEST(closed events go before a cancellation that came while the streams were opened) {
  lifecycle life{started_row()};
  CAF_CHECK(life.decide(state::cancelled));
  CAF_CHECK_EQUAL(
      walk(life, {5'000, true, true}), (steps{"open_streams", "read_end", "record_ending", "record_end", "done"}));
  CAF_CHECK(life.row().state == state::failed);
  CAF_CHECK(life.row().decided == state::failed);
}

CAF_TEST(closed events do not keep the audio from being closed) {
  lifecycle life{started_row()};
  CAF_CHECK_EQUAL(walk(life, {5'000, false, true}),
      (steps{"open_streams", "read_end", "record_ending", "close_audio", "record_end", "done"}));
}

CAF_TEST(a step done twice is as good as done once) {
  for (auto decided : {state::queued, state::completed, state::cancelled})
    for (int found = 0; found < 4; ++found) {
      streams facts{found * 1'000u, (found & 1) != 0, (found & 2) != 0};
      lifecycle once{started_row(decided)};
      lifecycle twice{started_row(decided)};
      if (decided == state::queued && facts.audio_closed && !facts.events_closed)
        continue; // the audio is closed after the decision is durable
      CAF_CHECK_EQUAL(walk(once, facts), walk(twice, facts, {}, true));
      auto a = once.row();
      auto b = twice.row();
      CAF_CHECK(a.ended_at_ms > 0 && b.ended_at_ms >= a.ended_at_ms);
      b.ended_at_ms = a.ended_at_ms;
      CAF_CHECK(a == b);
    }
}

CAF_TEST(a step that is not completed is next again) {
  lifecycle life{fresh_row()};
  for (int i = 0; i < 3; ++i)
    CAF_CHECK_EQUAL(name_of(life.next()), "open_streams");
  life.complete(step::open_streams);
  for (int i = 0; i < 3; ++i)
    CAF_CHECK_EQUAL(name_of(life.next()), "announce");
}

CAF_TEST(the first decision wins) {
  lifecycle life{fresh_row()};
  CAF_CHECK(life.decide(state::failed, "broke"));
  CAF_CHECK(life.decided());
  CAF_CHECK(!life.decide(state::cancelled));
  CAF_CHECK(!life.decide(state::failed, "again"));
  CAF_CHECK(life.row().decided == state::failed);
  CAF_CHECK_EQUAL(life.row().reason, "broke");
  lifecycle recovered{started_row(state::completed)};
  CAF_CHECK(!recovered.decide(state::cancelled));
  CAF_CHECK(recovered.row().decided == state::completed);
}

CAF_TEST(one that broke off goes on as the next attempt) {
  lifecycle life{fresh_row()};
  int breaks = 0;
  auto sound = [&](lifecycle& x) {
    if (++breaks <= 2)
      x.broke_off();
    else
      x.decide(state::completed);
  };
  const steps again{"back_off", "record_start", "open_sound", "announce_start", "make_sound"};
  CAF_CHECK_EQUAL(walk(life, {}, {{step::make_sound, sound}}), beginning + again + again + ending);
  CAF_CHECK_EQUAL(life.row().attempt, 3u);
  CAF_CHECK(life.row().state == state::completed);
}

CAF_TEST(one that broke off before it had begun is not announced as started) {
  lifecycle life{fresh_row()};
  life.found_streams({}, {});
  for (auto x : {step::open_streams, step::announce, step::record_start})
    life.complete(x);
  CAF_CHECK(life.under_way());
  life.broke_off();
  CAF_CHECK_EQUAL(name_of(life.next()), "back_off");
  CAF_CHECK(life.under_way());
  life.complete(step::back_off);
  CAF_CHECK_EQUAL(name_of(life.next()), "record_start");
  CAF_CHECK(!life.under_way()); // the new attempt is not in the row yet
}

CAF_TEST(one that is cancelled after it broke off ends as the attempt it was) {
  lifecycle life{fresh_row()};
  auto breaks = [](lifecycle& x) { x.broke_off(); };
  auto cancel = [](lifecycle& x) { x.decide(state::cancelled); };
  CAF_CHECK_EQUAL(walk(life, {}, {{step::make_sound, [&](lifecycle& x) { breaks(x), cancel(x); }}}), beginning + ending);
  CAF_CHECK_EQUAL(life.row().attempt, 1u);
  CAF_CHECK(life.row().state == state::cancelled);
}

CAF_TEST(the row keeps the version of the generator that made the first sound) {
  lifecycle first{fresh_row()};
  first.opened_sound({"synth", "1", "{}", 960'000});
  CAF_CHECK_EQUAL(first.row().generator, "synth");
  CAF_CHECK_EQUAL(first.row().generator_version, "1");
  CAF_CHECK_EQUAL(first.row().expected_bytes, 960'000u);
  lifecycle second{first.row()};
  second.opened_sound({"synth", "2", "{}", 970'000});
  CAF_CHECK_EQUAL(second.row().generator_version, "1");
  CAF_CHECK_EQUAL(second.row().expected_bytes, 970'000u);
}

CAF_TEST(the row follows the durable sound) {
  lifecycle life{fresh_row()};
  life.stored_audio(3'840);
  CAF_CHECK_EQUAL(life.row().audio_bytes, 3'840u);
}
