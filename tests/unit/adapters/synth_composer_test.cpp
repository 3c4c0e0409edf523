#define CAF_SUITE adapters.synth_composer

#include "adapters/fluidsynth/composer.hpp"
#include "adapters/fluidsynth/writers.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "tests/support/test.hpp"

using namespace segue::fluidsynth;

namespace {

std::string prompt_for(const style& s) { return std::string(s.name) + " tune"; }

auto fields(const event& x) { return std::tie(x.frame, x.what, x.channel, x.first, x.second); }

bool same(const composition& a, const composition& b) {
  return a.length == b.length && a.fade_start == b.fade_start
         && std::equal(a.events.begin(), a.events.end(), b.events.begin(), b.events.end(),
           [](auto& x, auto& y) { return fields(x) == fields(y); });
}

notes of(const composition& x, part p) {
  notes result;
  std::copy_if(x.score.begin(), x.score.end(), std::back_inserter(result), [&](auto& n) { return n.who == p; });
  return result;
}

double bar_s(const composition& x) { return x.shape.steps * 15.0 / x.words.bpm; }

} // namespace

CAF_TEST(every style composes at every length) {
  for (auto* s : styles())
    for (double wish : {5, 7, 30, 60, 600}) {
      auto x = compose(prompt_for(*s), 3, wish);
      auto got = static_cast<double>(x.length) / frame_rate;
      CAF_REQUIRE_EQUAL(x.words.genre->name, s->name);
      CAF_CHECK(got >= wish - 1);
      CAF_CHECK(got <= wish + bar_s(x) * 1.05);
      CAF_CHECK(!x.events.empty());
    }
}

CAF_TEST(lengths between hold too and at odd tempos) {
  for (auto prompt : {"40 bpm ambient", "220 bpm salsa", "61 bpm waltz", "97 bpm pop in 7/8", "blues at tempo 70"})
    for (double wish = 5; wish < 100; wish += 6.37) {
      auto x = compose(prompt, 9, wish);
      auto got = static_cast<double>(x.length) / frame_rate;
      CAF_CHECK(got >= wish - 1);
      CAF_CHECK(got <= wish + bar_s(x) * 1.05);
    }
}

CAF_TEST(a tempo given in numbers is kept) {
  for (double wish : {30, 47, 60, 200}) {
    auto bpm = 15 / compose("80 bpm lofi", 2, wish).shape.step_s;
    CAF_CHECK(std::abs(bpm - 80) < 0.7);
  }
}

CAF_TEST(sections follow each other without a gap) {
  for (auto* s : styles())
    for (double wish : {5, 13, 60, 300}) {
      auto x = compose(prompt_for(*s), 5, wish);
      int bar = 0;
      for (auto& sec : x.shape.sections) {
        CAF_CHECK_EQUAL(sec.first_bar, bar);
        CAF_CHECK_GREATER(sec.bars, 0);
        bar += sec.bars;
      }
      CAF_CHECK_EQUAL(bar, x.shape.bars);
      CAF_CHECK(x.shape.sections.back().last);
      if (wish >= 60) {
        CAF_CHECK_EQUAL(x.shape.sections.front().name, "intro");
        CAF_CHECK_EQUAL(x.shape.sections.back().name, "outro");
      }
    }
}

CAF_TEST(the same words seed and duration give the same composition) {
  for (auto* s : styles())
    CAF_CHECK(same(compose(prompt_for(*s), 11, 45), compose(prompt_for(*s), 11, 45)));
  CAF_CHECK(!same(compose("jazz", 1, 45), compose("jazz", 2, 45)));
}

CAF_TEST(seeds give different melodies) {
  std::set<std::vector<int>> melodies;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    std::vector<int> line;
    for (auto& n : of(compose("folk in C major, flute", seed, 30), part::lead))
      line.push_back(n.key);
    melodies.insert(line);
  }
  CAF_CHECK_EQUAL(melodies.size(), 20u);
}

CAF_TEST(events are in order and notes end) {
  for (auto* s : styles()) {
    auto x = compose(prompt_for(*s), 21, 60);
    CAF_CHECK(std::is_sorted(x.events.begin(), x.events.end(), [](auto& a, auto& b) { return a.frame < b.frame; }));
    std::map<std::pair<int, int>, int> held;
    for (auto& e : x.events) {
      auto& n = held[{e.channel, e.first}];
      if (e.what == event::kind::on)
        CAF_CHECK_EQUAL(++n, 1);
      else if (e.what == event::kind::off)
        CAF_CHECK_EQUAL(--n, 0);
    }
    CAF_CHECK(std::all_of(held.begin(), held.end(), [](auto& h) { return h.second == 0; }));
  }
}

CAF_TEST(melodies stay in the range of their instrument) {
  for (auto* s : styles())
    for (uint64_t seed = 0; seed < 4; ++seed) {
      auto x = compose(prompt_for(*s), seed, 90);
      auto r = range_of(*x.words.lead, x.words);
      for (auto& n : of(x, part::lead))
        CAF_CHECK(n.key >= r.low && n.key <= r.high);
    }
}

CAF_TEST(melodies stay in the key or take what the chord brings) {
  for (auto name : {"folk", "pop", "classical", "waltz", "cinematic", "ballad", "march", "celtic"}) {
    auto x = compose(name, 4, 90);
    for (auto& n : of(x, part::lead)) {
      auto& c = x.chords.under(n.start, n.length);
      CAF_CHECK(scale_on(c, x.words.key)[static_cast<size_t>(n.key % 12)]);
    }
  }
}

CAF_TEST(strong beats of melodies are chord tones more often than not) {
  for (auto* s : styles()) {
    auto x = compose(prompt_for(*s), 8, 120);
    int strong = 0, consonant = 0;
    for (auto& n : of(x, part::lead))
      if (n.start / step_ticks % x.shape.steps % s->pulse == 0) {
        ++strong;
        consonant += x.chords.under(n.start, n.length).has(n.key);
      }
    CAF_CHECK(consonant * 100 >= strong * 78);
  }
}

CAF_TEST(melodies move mostly by small steps and breathe) {
  for (auto* s : styles()) {
    auto lead = of(compose(prompt_for(*s), 6, 120), part::lead);
    int leaps = 0;
    int64_t sounding = 0;
    for (size_t i = 1; i < lead.size(); ++i) {
      leaps += std::abs(lead[i].key - lead[i - 1].key) > 9;
      sounding += std::min(lead[i - 1].length, lead[i].start - lead[i - 1].start);
    }
    CAF_CHECK(leaps * 100 <= static_cast<int>(lead.size()) * 6);
    CAF_CHECK(sounding < (lead.back().start - lead.front().start) * 97 / 100);
  }
}

CAF_TEST(a piece ends on its tonic) {
  for (auto* s : styles())
    for (double wish : {5, 30, 120}) {
      auto x = compose(prompt_for(*s), 2, wish);
      auto last = x.chords.spans().back().harmony;
      CAF_CHECK_EQUAL(last.root, x.words.key.tonic);
      for (auto p : {part::lead, part::bass}) {
        auto part_notes = of(x, p);
        CAF_REQUIRE(!part_notes.empty());
        CAF_CHECK_EQUAL(part_notes.back().start, x.shape.last_chord());
        CAF_CHECK_EQUAL(part_notes.back().key % 12, x.words.key.tonic);
      }
    }
}

CAF_TEST(the chord before the end leads home) {
  auto x = compose("classical in C major", 1, 60);
  auto& spans = x.chords.spans();
  CAF_CHECK_EQUAL(spans[spans.size() - 2].harmony.symbol, "V7");
  CAF_CHECK_EQUAL(spans.back().harmony.symbol, "I");
}

CAF_TEST(nobody drums when drums are not wanted) {
  for (auto prompt : {"rock, no drums", "solo piano", "string quartet", "solo guitar, flamenco"}) {
    auto x = compose(prompt, 1, 60);
    CAF_CHECK(of(x, part::drums).empty());
    CAF_CHECK(std::none_of(x.events.begin(), x.events.end(), [](auto& e) { return e.channel == 9; }));
  }
}

CAF_TEST(drums fill at the end of a section) {
  auto x = compose("rock", 1, 90);
  auto& sections = x.shape.sections;
  for (size_t i = 1; i + 1 < sections.size(); ++i) {
    auto end = (sections[i].first_bar + sections[i].bars) * x.shape.bar_ticks();
    std::set<int> keys;
    for (auto& n : of(x, part::drums))
      if (n.start >= end - 4 * step_ticks && n.start < end)
        keys.insert(n.key);
    CAF_CHECK(!keys.count(42)); // the hi-hat makes way
    CAF_CHECK(!keys.empty());
  }
}

CAF_TEST(something sounds from the first moment) {
  for (auto* s : styles())
    for (double wish : {5, 60, 300}) {
      auto x = compose(prompt_for(*s), 13, wish);
      auto first = std::find_if(x.events.begin(), x.events.end(), [](auto& e) { return e.what == event::kind::on; });
      CAF_CHECK_LESS(first->frame, frame_rate / 5);
    }
}

CAF_TEST(styles differ in what is played) {
  std::set<std::vector<int>> rhythms;
  for (auto* s : styles()) {
    auto x = compose(std::string(s->name) + " in C", 1, 60);
    std::vector<int> onsets;
    for (auto p : {part::comp, part::bass, part::drums}) {
      auto all = of(x, p);
      for (size_t i = 0; i < std::min<size_t>(all.size(), 30); ++i)
        onsets.push_back(static_cast<int>(all[i].start / 60));
    }
    rhythms.insert(onsets);
  }
  CAF_CHECK_EQUAL(rhythms.size(), styles().size());
}

CAF_TEST(the plan tells what will be heard) {
  auto x = compose("slow sad piano in D minor, rain on the window", 1, 60);
  auto plan = nlohmann::json::parse(plan_json(x));
  CAF_CHECK_EQUAL(plan["title"].get<std::string>(), "Rain on the Window");
  CAF_CHECK_EQUAL(plan["key"].get<std::string>(), "D minor");
  CAF_CHECK_EQUAL(plan["mood"].get<std::string>(), "sad");
  CAF_CHECK_EQUAL(plan["meter"].get<std::string>(), "4/4");
  CAF_CHECK_EQUAL(plan["instruments"][0].get<std::string>(), "piano");
  CAF_CHECK(plan["tempo_bpm"].get<int>() < 100);
  CAF_CHECK_EQUAL(plan["sections"][0]["start_ms"].get<int>(), 0);
  CAF_CHECK_EQUAL(plan["sections"].back()["name"].get<std::string>(), "ending");
  CAF_CHECK_EQUAL(plan["duration_ms"].get<uint64_t>(), x.length * 1'000 / frame_rate);
}
