#define CAF_SUITE actors.generation.lifecycle_crash

#include "actors/generation/lifecycle.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/test.hpp"

using namespace segue;

namespace {

using step = lifecycle::step;
using state = generation_state;

constexpr position whole_piece = 10'000;

struct crash {};

void insist(bool condition, const char* what) {
  if (!condition)
    throw std::runtime_error{what};
}

/// What is durable: the row and the two streams. It refuses what the real ones refuse.
class world {
public:
  struct event {
    std::string type;
    position bytes = 0;
    std::string reason;
  };

  generation_row row;
  position audio_tail = 0;
  bool audio_closed = false;
  std::vector<event> events;
  bool events_closed = false;
  int broken_off = 0; ///< attempts that were followed by another one of the same life

  /// From here on another attempt writes.
  void begin_life() { newcomer_ = true; }

  void append_audio(uint64_t epoch, position bytes) {
    insist(!audio_closed, "sound after the audio was closed");
    fence(epoch);
    audio_tail += bytes;
  }

  void close_audio(uint64_t epoch) {
    insist(!audio_closed || epoch == newest_, "the audio was closed twice");
    fence(epoch);
    audio_closed = true;
  }

  void announce() {
    insist(!events_closed, "an announcement after the end");
    if (events.empty())
      events.push_back({"queued", 0, {}});
  }

  void append_event(uint64_t epoch, event x, bool close = false) {
    if (close && events_closed && epoch == newest_)
      return; // the same append again
    insist(!events_closed, "an event after the end");
    fence(epoch);
    events.push_back(std::move(x));
    events_closed = close;
  }

private:
  /// An attempt is durable before it appends anything, or a later one could have the same number.
  void fence(uint64_t epoch) {
    insist(epoch > newest_ || (epoch == newest_ && !newcomer_), "an append of an older attempt");
    insist(epoch == row.attempt, "an append of an attempt that is not durable");
    newest_ = epoch;
    newcomer_ = false;
  }

  uint64_t newest_ = 0;
  bool newcomer_ = true;
};

/// One life of a generation, from the durable row to its end or to a crash, as the generation actor leads it.
class performer {
public:
  performer(world& w, std::minstd_rand& dice) : world_(w), dice_(dice), life_(w.row) { world_.begin_life(); }

  void run() {
    for (;;) {
      if (chance(2))
        life_.decide(state::cancelled);
      auto next = life_.next();
      if (next == step::done)
        return;
      perhaps_crash();
      take(next);
      if (next != step::make_sound && next != step::back_off && next != step::read_end && chance(10))
        take(next); // its answer was lost: once more
      perhaps_crash();
      if (next == step::record_start)
        life_.started(1);
      if (next == step::open_streams)
        life_.found_streams(audio_, events_);
      if (next != step::make_sound && next != step::read_end && !failed_to_begin_)
        life_.complete(next);
      failed_to_begin_ = false;
      world_.broken_off += next == step::back_off;
    }
  }

private:
  bool chance(unsigned percent) { return dice_() % 100 < percent; }

  void perhaps_crash() {
    if (chance(6))
      throw crash{};
  }

  void take(step next) {
    auto epoch = life_.row().attempt;
    auto row = life_.row();
    switch (next) {
    case step::open_streams:
      audio_.tail = world_.audio_tail;
      audio_.closed = world_.audio_closed;
      events_.closed = world_.events_closed;
      break;
    case step::announce:
      world_.announce();
      break;
    case step::read_end:
      read_end(world_.events.back());
      break;
    case step::record_start:
      row.state = state::running;
      world_.row = row;
      break;
    case step::open_sound:
      failed_to_begin_ = chance(3) ? life_.decide(state::failed, "no beginning") : perhaps_broken();
      if (!failed_to_begin_)
        life_.opened_sound({"synth", "1", "{}", whole_piece});
      break;
    case step::announce_start:
      world_.append_event(epoch, {"started", world_.audio_tail, {}});
      break;
    case step::make_sound:
      make_sound(epoch);
      break;
    case step::close_audio:
      world_.close_audio(epoch);
      life_.stored_audio(world_.audio_tail);
      break;
    case step::end_events:
      world_.append_event(epoch, {to_string(row.decided), row.audio_bytes, row.reason}, true);
      break;
    case step::record_ending:
      insist(row.decided != state::queued, "an ending without a decision");
      world_.row = row;
      break;
    case step::record_end:
      insist(world_.events_closed && world_.audio_closed, "the end was recorded before it came");
      world_.row = row;
      break;
    case step::back_off:
    case step::done:
      break;
    }
  }

  /// The generator breaks off: another attempt follows.
  bool perhaps_broken() {
    if (!chance(5))
      return false;
    life_.broke_off();
    return true;
  }

  void make_sound(uint64_t epoch) {
    if (perhaps_broken())
      return;
    if (chance(3)) {
      life_.decide(state::failed, "it broke");
      return;
    }
    world_.append_audio(epoch, std::min<position>(1 + dice_() % 2'000, whole_piece - world_.audio_tail));
    life_.stored_audio(world_.audio_tail);
    if (world_.audio_tail == whole_piece)
      life_.decide(state::completed);
  }

  void read_end(const world::event& last) {
    for (auto how : {state::completed, state::failed, state::cancelled})
      if (last.type == to_string(how))
        life_.learned_end(how, last.reason);
    insist(life_.decided(), "the events are closed without a terminal event");
  }

  world& world_;
  std::minstd_rand& dice_;
  lifecycle life_;
  stream_row audio_;
  stream_row events_;
  bool failed_to_begin_ = false;
};

bool terminal(const world::event& x) { return x.type != "queued" && x.type != "started"; }

void insist_on_a_whole_story(const world& w) {
  insist(w.events_closed && w.audio_closed, "a stream is open at the end");
  insist(w.events.front().type == "queued", "the first event is not `queued`");
  insist(std::count_if(w.events.begin(), w.events.end(), terminal) == 1, "not exactly one terminal event");
  const auto& last = w.events.back();
  insist(terminal(last), "the terminal event is not the last one");
  insist(last.type == to_string(w.row.state), "the row's state is not how it ended");
  insist(w.row.decided == w.row.state, "the row ended in another way than decided");
  insist(last.reason == w.row.reason, "the row has another reason than the event");
  insist(last.bytes == w.audio_tail && w.row.audio_bytes == w.audio_tail, "not all bytes are in the books");
  insist(w.row.state != state::completed || w.audio_tail == whole_piece, "it completed without its end");
  insist(w.row.ended_at_ms > 0, "it has no time of its end");
}

/// Lives after lives, each beginning with what the one before left, until one reaches its end.
std::string simulate(unsigned seed, std::map<std::string, int>& ends, bool lose_decision, int& broken_off) {
  std::minstd_rand dice{seed};
  world w;
  w.row.request_id = "id";
  try {
    for (int lives = 0; lives < 1'000; ++lives) {
      try {
        performer{w, dice}.run();
        insist_on_a_whole_story(w);
        performer{w, dice}.run(); // an ended one that is taken up again ends the same way
        insist_on_a_whole_story(w);
        ++ends[to_string(w.row.state)];
        broken_off += w.broken_off;
        return {};
      } catch (const crash&) {
        if (lose_decision && w.events_closed) { // an older copy of the catalogue was put back
          w.row.decided = state::queued;
          w.row.state = state::running;
          w.row.reason.clear();
        }
      }
    }
  } catch (const std::exception& e) {
    return "seed " + std::to_string(seed) + ": " + e.what();
  }
  return "seed " + std::to_string(seed) + ": it never ends";
}

/// Simulates many lives; empty, or the first seed that went wrong.
std::string simulate_all(std::map<std::string, int>& ends, bool lose_decision) {
  int broken_off = 0;
  for (unsigned seed = 1; seed <= 3'000; ++seed)
    if (auto wrong = simulate(seed * 7'919, ends, lose_decision, broken_off); !wrong.empty())
      return wrong;
  return broken_off > 1'000 ? "" : "hardly any attempt broke off";
}

} // namespace

CAF_TEST(whatever crash comes after whatever step the end is one and durable) {
  std::map<std::string, int> ends;
  CAF_CHECK_EQUAL(simulate_all(ends, false), "");
  CAF_CHECK_EQUAL(ends.size(), 3u); // the seeds reach every ending, each in numbers
  for (const auto& [how, count] : ends) {
    CAF_MESSAGE(how << ": " << count);
    CAF_CHECK(count > 100);
  }
}

CAF_TEST(a catalogue that forgot the decision learns it from the closed events) {
  std::map<std::string, int> ends;
  CAF_CHECK_EQUAL(simulate_all(ends, true), "");
}
