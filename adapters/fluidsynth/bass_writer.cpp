// The bass line: patterns of chord tones, walking lines, approaches to the next root.
#include "adapters/fluidsynth/writers.hpp"

#include <algorithm>
#include <cstdlib>

namespace segue::fluidsynth {

namespace {

class bassist {
public:
  explicit bassist(const sketch& s) : s_(s), b_(s.words), chance_(s.words.seed, "bass") {
    bool hand = b_.bass == b_.comp; // the left hand of a pianist or guitarist
    low_ = hand ? 38 : b_.bass->sustained ? 36 : 31;
    high_ = low_ + 19;
    last_ = low_ + 6;
  }

  notes write() {
    for (auto& sec : s_.shape.sections)
      if (sec.has(part::bass))
        write_section(sec);
    auto end = s_.shape.last_chord();
    auto ring = s_.shape.ring_ticks();
    out_.push_back({end, ring * 3 / 4, root(s_.chords.at(end).harmony), 88, part::bass});
    return std::move(out_);
  }

private:
  void write_section(const section& sec) {
    auto& g = *b_.genre;
    dice choice(b_.seed, "bass pattern", static_cast<uint64_t>(sec.theme));
    auto& options = sec.energy <= 1 && b_.energy < 2 ? g.bass_light : g.bass_full;
    auto main = choice.below(static_cast<int>(options.size()));
    auto other = (main + 1) % static_cast<int>(options.size());
    auto steps = s_.shape.steps;
    for (int bar = 0; bar < sec.bars; ++bar) {
      auto pattern = options[static_cast<size_t>(bar % 4 == 3 ? other : main)];
      for (int i = 0; i < steps; ++i) {
        auto c = symbol_at(pattern, bar, i, g.steps);
        auto start = (sec.first_bar + bar) * s_.shape.bar_ticks() + i * step_ticks;
        auto& span = s_.chords.at(start);
        bool changes = start == span.start;
        if (changes && i > 0 && (c == '-' || c == '.') && i % g.pulse == 0)
          c = g.bass_full[0][0] == 'w' ? 'w' : 'r'; // a chord in mid-bar gets its root
        if (c == '-' || c == '.')
          continue;
        auto length = hold_at(pattern, bar, i, g.steps, steps) * step_ticks;
        length = std::min(length, std::max(span.end - start, step_ticks));
        int accent = (i == 0 ? 6 : i % g.pulse == 0 ? 2 : 0) + 2 * (sec.energy - 2);
        bool ghost = c == 'o';
        length = ghost ? step_ticks / 2 : std::max<int64_t>(length - 10, 60);
        out_.push_back({start, length, choose(c, span, start, changes), ghost ? 50 : 86 + accent, part::bass});
        last_ = out_.back().key;
      }
    }
  }

  // The bass note of a chord: near the last one, in the low octave and a half.
  int root(const chord& c) const {
    auto lowest = low_ + mod(c.bass - low_, 12);
    return lowest + 12 <= low_ + 15 && std::abs(lowest + 12 - last_) < std::abs(lowest - last_) ? lowest + 12 : lowest;
  }

  int choose(char c, const chord_span& span, int64_t start, bool changes) {
    auto& h = span.harmony;
    auto base = root(h);
    auto tone = [&](size_t i, int otherwise) { return h.tones.size() > i ? h.tones[i] % 12 : otherwise; };
    auto up = [&](int interval) {
      auto p = base + mod(h.root + interval - h.bass, 12);
      return p > high_ ? p - 12 : p;
    };
    bool power = h.tones.size() == 2;
    switch (c) {
      case '3': return up(power ? 0 : tone(1, 0));
      case '5': {
        auto fifth = up(power ? 7 : tone(2, 7) % 12);
        return fifth - 12 >= low_ && chance_.chance(50) ? fifth - 12 : fifth;
      }
      case '6': return up(9);
      case '7': return up(tone(3, 10) >= 9 ? tone(3, 10) : 10);
      case '8': return base + 12 > high_ + 2 ? base : base + 12;
      case 'a': return approach(span, start);
      case 'w': return changes ? base : walk(span, start);
      default: return base;
    }
  }

  int next_root(const chord_span& span) const { return root(s_.chords.at(span.end).harmony); }

  int approach(const chord_span& span, int64_t start) {
    auto goal = next_root(span);
    if (span.end - start > 4 * step_ticks) // the chord stays: no need to lead away
      return nearest(last_ + 2, span.harmony.pitches());
    auto from_above = last_ > goal;
    if (std::abs(last_ - goal) <= 2) // come from the other side rather than repeat a note
      from_above = last_ <= goal;
    auto diatonic = step(goal, from_above ? 1 : -1, scale_on(span.harmony, b_.key));
    return into_range(chance_.chance(40) ? goal + (from_above ? 1 : -1) : diatonic);
  }

  int walk(const chord_span& span, int64_t start) {
    auto beat = b_.genre->pulse * step_ticks;
    if (span.end - start <= beat)
      return approach(span, start);
    auto goal = next_root(span);
    auto beats_left = static_cast<int>((span.end - start) / beat);
    auto tones = span.harmony.pitches();
    auto scale = scale_on(span.harmony, b_.key);
    bool up = goal == last_ ? last_ < low_ + 8 : goal > last_;
    if (std::abs(goal - last_) <= beats_left) // there is time to go round
      up = last_ < low_ + 9 ? chance_.chance(75) : chance_.chance(25);
    auto p = chance_.chance(55) ? nearest(last_ + (up ? 4 : -4), tones, up) : step(last_, up ? 1 : -1, scale);
    if (p == last_)
      p = step(last_, up ? 1 : -1, tones);
    if (p > high_ || p < low_)
      p = step(last_, p > high_ ? -1 : 1, tones);
    return into_range(p);
  }

  int into_range(int p) const { return p > high_ + 2 ? p - 12 : p < low_ - 2 ? p + 12 : p; }

  const sketch& s_;
  const brief& b_;
  dice chance_;
  int low_ = 31, high_ = 50, last_ = 36;
  notes out_;
};

} // namespace

notes write_bass(const sketch& s) { return s.words.bass ? bassist(s).write() : notes{}; }

} // namespace segue::fluidsynth
