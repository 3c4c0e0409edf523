// Melodies from motifs: a rhythm and a contour are stated, repeated on other chords, answered and brought to rest.
#include "adapters/fluidsynth/melody_rhythms.hpp"
#include "adapters/fluidsynth/writers.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>

namespace segue::fluidsynth {

namespace {

struct onset {
  int step = 0, length = 1; // within the gesture
  bool strong = false;
};

// Two bars of melody without pitches: rhythm and the way the line moves.
struct gesture {
  std::vector<onset> rhythm;
  std::vector<int> moves; // scale steps from the note before
};

// The gestures of a theme and the order in which they come.
struct theme {
  std::vector<gesture> gestures;
  std::vector<size_t> order; // one per two bars
};

class melodist {
public:
  explicit melodist(const sketch& s) : s_(s), b_(s.words) {}

  notes write() {
    for (size_t i = 0; i < s_.shape.sections.size(); ++i) {
      auto& sec = s_.shape.sections[i];
      if (sec.has(part::lead) || sec.has(part::soloist))
        write_section(sec, dice(b_.seed, "melody pass", i));
    }
    close();
    return std::move(out_);
  }

private:
  int bar_steps() const { return s_.shape.steps; }
  bool family(text x) const { return b_.genre->melody == x; }

  gesture make_gesture(dice& chance, bool dense) const {
    gesture g;
    auto cells = melody_rhythms(b_.genre->melody, dense);
    auto first = chance.pick(cells), second = chance.chance(45) ? first : chance.pick(cells);
    for (int bar = 0; bar < 2; ++bar) {
      auto cell = bar == 0 ? first : second;
      auto width = static_cast<int>(cell.size());
      for (int i = 0; i < bar_steps(); ++i) {
        if (symbol_at(cell, 0, i, width) != 'x')
          continue;
        onset o{bar * bar_steps() + i, hold_at(cell, 0, i, width, bar_steps()), false};
        if (bar == 1 && i >= bar_steps() * 3 / 4 && !dense && chance.chance(60))
          continue; // breath
        auto pulse = b_.genre->pulse; // even beats may carry passing notes, odd ones and long notes may not
        bool heavy = i % (2 * pulse) == 0 || o.length > pulse, light = i % pulse == 0 || o.length == pulse;
        o.strong = heavy || (light && chance.chance(60));
        g.rhythm.push_back(o);
      }
    }
    if (g.rhythm.empty())
      g.rhythm.push_back({0, bar_steps(), true});
    int height = 0, before = 0;
    for (size_t i = 0; i < g.rhythm.size(); ++i) {
      int move = chance.chance(72) ? 1 : chance.chance(55) ? 2 : chance.chance(50) ? 0 : chance.between(3, 4);
      bool up = std::abs(before) >= 3 ? before < 0 : chance.between(-4, 4) > height; // leaps turn back, lines return
      if (std::abs(before) == 1 && chance.chance(45))
        up = before > 0; // runs keep going
      if (std::abs(before) >= 2)
        move = std::min(move, 2);
      before = up ? move : -move;
      height += before;
      g.moves.push_back(before);
    }
    return g;
  }

  theme make_theme(dice chance, bool dense) const {
    theme t;
    for (int i = 0; i < 4; ++i)
      t.gestures.push_back(make_gesture(chance, dense));
    using plan = std::vector<size_t>;
    static const std::vector<plan> eight{{0, 0, 1, 2}, {0, 1, 0, 2}, {0, 0, 0, 2}, {0, 1, 1, 2}, {0, 1, 0, 1}};
    static const std::vector<plan> twelve{{0, 3, 0, 3, 1, 2}, {0, 1, 0, 1, 2, 3}, {0, 0, 1, 1, 2, 3}};
    t.order = chance.pick(b_.genre->phrase == 12 ? twelve : eight);
    return t;
  }

  const theme& theme_for(const section& sec, size_t salt) {
    auto dense = sec.solo;
    auto key = std::pair(dense ? 's' : sec.theme, dense ? static_cast<int>(salt) : 0);
    auto i = themes_.find(key);
    if (i == themes_.end())
      i = themes_.emplace(key, make_theme(dice(b_.seed, std::string(1, key.first), salt * dense), dense)).first;
    return i->second;
  }

  // The pitches a passing note may take.
  pitch_set scale(const chord& c) const {
    auto result = scale_on(c, b_.key);
    if (family("blues"))
      for (int x : {3, 6, 10})
        result.set(static_cast<size_t>(mod(b_.key.tonic + x, 12)));
    return result;
  }

  void write_section(const section& sec, dice chance) {
    who_ = sec.has(part::soloist) ? part::soloist : part::lead;
    auto* player = who_ == part::soloist ? b_.soloist : b_.lead;
    range_ = range_of(*player, b_);
    auto& t = theme_for(sec, static_cast<size_t>(sec.first_bar));
    auto units = (sec.bars + 1) / 2;
    for (int u = 0; u < units; ++u) {
      auto& g = t.gestures[t.order[static_cast<size_t>(u) % t.order.size()]];
      bool closing = u + 1 == units, half_way = units >= 4 && u == units / 2 - 1;
      if (sec.name == "outro" && u % 2 == 1 && !closing)
        continue; // the end thins out
      write_unit(sec, g, u, units, closing ? 2 : half_way ? 1 : 0, chance);
    }
  }

  // The height the line aims for: an arch over the section.
  int target(const section& sec, int u, int units) const {
    auto x = units > 1 ? 100 * u / (units - 1) : 50;
    auto arch = x < 65 ? x * 7 / 65 : (100 - x) * 7 / 35;
    return range_.middle - 3 + arch + (sec.theme == 'B' ? 3 : sec.theme == 'C' ? -2 : 0) + (sec.energy >= 4 ? 2 : 0);
  }

  void write_unit(const section& sec, const gesture& g, int u, int units, int cadence, dice& chance) {
    auto first_tick = (sec.first_bar + 2 * u) * s_.shape.bar_ticks();
    auto end_tick = std::min(first_tick + 2 * s_.shape.bar_ticks(), (sec.first_bar + sec.bars) * s_.shape.bar_ticks());
    auto width = static_cast<int>((end_tick - first_tick) / step_ticks);
    auto rhythm = g.rhythm;
    std::erase_if(rhythm, [&](auto& o) { return o.step >= width; });
    if (cadence > 0)
      come_to_rest(rhythm, width, cadence == 2 && sec.last);
    if (sec.pass > 0)
      vary(rhythm, chance);
    int p = nearest(target(sec, u, units), s_.chords.at(first_tick).harmony.pitches());
    if (!out_.empty() && u > 0)
      p = (p + out_.back().key) / 2;
    auto first_note = out_.size();
    for (size_t i = 0; i < rhythm.size(); ++i) {
      auto& o = rhythm[i];
      auto start = first_tick + o.step * step_ticks, length = std::min(o.length, width - o.step) * step_ticks;
      auto& harmony = s_.chords.under(start, length);
      auto tones = harmony.pitches(), passing = scale(harmony);
      auto move = i == 0 ? 0 : g.moves[i % g.moves.size()];
      auto wish = step(p, move, passing);
      if (wish > range_.high || wish < range_.low)
        wish = step(p, -move, passing);
      bool rest = cadence > 0 && i + 1 == rhythm.size();
      if (o.strong || rest || i == 0)
        wish = nearest(wish, tones, move >= 0);
      else if (!passing[static_cast<size_t>(mod(wish, 12))])
        wish = nearest(wish, passing, move >= 0);
      else if (o.length >= 3 && harmony.has(wish - 1) && !harmony.has(wish)) // a half-step above a chord tone grates
        wish = nearest(wish, tones, false);
      if (o.strong && i > 1 && wish == p && p == out_[out_.size() - 2].key)
        wish = step(p, p > range_.middle ? -1 : 1, tones); // no hammering
      p = into_range(rest ? resting_note(wish, harmony, cadence) : wish);
      out_.push_back({start, length, p, loudness(o, i, rhythm.size(), sec, chance), who_});
    }
    if (family("swing") || family("blues"))
      approach(rhythm, first_note, chance);
  }

  int into_range(int p) const {
    while (p > range_.high)
      p -= 12;
    while (p < range_.low)
      p += 12;
    return p;
  }

  // Phrases end on a stable note, sections on the tonic where the chord allows it.
  int resting_note(int wish, const chord& c, int cadence) const {
    if (cadence == 2 && c.has(b_.key.tonic))
      return nearest(wish, pitch_set().set(static_cast<size_t>(b_.key.tonic)));
    pitch_set stable;
    for (size_t i = 0; i < std::min<size_t>(3, c.tones.size()); ++i)
      stable.set(static_cast<size_t>(mod(c.root + c.tones[i], 12)));
    return nearest(wish, stable);
  }

  // Replaces the end of a rhythm with a long note and a breath.
  void come_to_rest(std::vector<onset>& rhythm, int width, bool very_end) const {
    auto steps = bar_steps();
    auto from = very_end ? std::max(0, width - steps / 4) : std::max(width - steps, 0);
    std::erase_if(rhythm, [&](auto& o) { return o.step >= from; });
    if (!rhythm.empty())
      rhythm.back().length = std::min(rhythm.back().length, from - rhythm.back().step);
    rhythm.push_back({from, very_end ? width - from : steps * 3 / 4, true});
  }

  // A later pass ornaments, leaves out and anticipates.
  void vary(std::vector<onset>& rhythm, dice& chance) const {
    std::vector<onset> result;
    for (size_t i = 0; i < rhythm.size(); ++i) {
      auto o = rhythm[i];
      bool last = i + 1 == rhythm.size();
      if (!last && !o.strong && o.length <= 2 && chance.chance(12))
        continue;
      if (!last && o.length >= 4 && chance.chance(22)) {
        auto half = o.length / 2;
        result.push_back({o.step, half, o.strong});
        result.push_back({o.step + half, o.length - half, false});
        continue;
      }
      bool room = o.step >= 2 && (result.empty() || result.back().step + result.back().length <= o.step - 2);
      if (room && b_.genre->pulse == 4 && o.strong && chance.chance(18)) {
        o.step -= 2;
        o.length += 2;
      }
      result.push_back(o);
    }
    rhythm = std::move(result);
  }

  // Half-steps from below or above into a strong note, as improvisers play them.
  void approach(const std::vector<onset>& rhythm, size_t first_note, dice& chance) {
    for (size_t i = 0; i + 1 < rhythm.size() && first_note + i + 1 < out_.size(); ++i) {
      auto &now = out_[first_note + i], &next = out_[first_note + i + 1];
      bool close = std::abs(now.key - next.key) <= 3 && now.key != next.key && now.end() == next.start;
      if (!rhythm[i].strong && rhythm[i + 1].strong && rhythm[i].length <= 2 && close && chance.chance(30))
        now.key = into_range(next.key + (now.key > next.key ? 1 : -1));
    }
  }

  int loudness(const onset& o, size_t i, size_t n, const section& sec, dice& chance) const {
    auto arch = static_cast<int>(n > 1 ? 8 * std::min(i, n - 1 - i) / n : 0);
    return std::clamp(82 + (o.strong ? 7 : 0) + arch + 3 * (sec.energy - 2) + chance.around(5), 45, 118);
  }

  // The last note of all: the tonic, on the last chord.
  void close() {
    auto end = s_.shape.last_chord();
    if (!b_.lead || (out_.empty() && !s_.shape.sections.back().has(part::lead)))
      return;
    range_ = range_of(*b_.lead, b_);
    auto before = out_.empty() ? range_.middle : out_.back().key;
    auto tonic = pitch_set().set(static_cast<size_t>(b_.key.tonic));
    auto ring = s_.shape.ring_ticks();
    out_.push_back({end, ring * 3 / 4, into_range(nearest(before, tonic, false)), 84 + 3 * b_.energy, part::lead});
  }

  const sketch& s_;
  const brief& b_;
  std::map<std::pair<char, int>, theme> themes_;
  melody_range range_;
  part who_ = part::lead;
  notes out_;
};

} // namespace

notes write_melody(const sketch& s) { return melodist(s).write(); }

melody_range range_of(const instrument& x, const brief& b) {
  melody_range r{x.low, x.high, 0};
  auto above_chords = std::min(67, x.high - 9);
  r.middle = std::clamp(x.low + (x.high - x.low) * 55 / 100 + b.bright, above_chords, 81);
  r.low = std::max(x.low, r.middle - 13);
  r.high = std::min(x.high, r.middle + 14);
  if (r.high - r.low < 14) // room for every tonic
    r.low = r.high - 14;
  return r;
}

} // namespace segue::fluidsynth
