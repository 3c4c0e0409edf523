// Chords: the comping patterns and the long chords of the pad.
#include "adapters/fluidsynth/writers.hpp"

#include <algorithm>

namespace segue::fluidsynth {

char symbol_at(text pattern, int bar, int step, int pattern_steps) {
  auto bars = std::max(1, static_cast<int>(pattern.size()) / pattern_steps);
  return pattern[static_cast<size_t>(bar % bars * pattern_steps + step % pattern_steps)];
}

int hold_at(text pattern, int bar, int step, int pattern_steps, int bar_steps) {
  int n = 1;
  while (step + n < bar_steps && symbol_at(pattern, bar, step + n, pattern_steps) == '-')
    ++n;
  return n;
}

namespace {

class comping {
public:
  explicit comping(const sketch& s) : s_(s), b_(s.words), player_(*s.words.comp) {
    distorted_ = player_.name == "distorted guitar" || player_.name == "overdriven guitar";
    alone_ = !b_.bass || b_.bass == b_.comp;
    low_ = distorted_ ? 40 : alone_ ? 47 : 51;
    high_ = distorted_ ? 60 : alone_ ? 69 : 72;
    if (!distorted_ && b_.lead && range_of(*b_.lead, b_).middle < 67) // make room for a low melody
      low_ -= 3, high_ -= 5;
    auto shift = distorted_ ? 0 : std::clamp(b_.bright, -3, 3);
    low_ += shift;
    high_ += shift;
  }

  notes write() {
    for (auto& sec : s_.shape.sections)
      if (sec.has(part::comp))
        write_section(sec);
    auto end = s_.shape.last_chord();
    auto ring = s_.shape.ring_ticks();
    hit(end, ring * 4 / 5, s_.chords.at(end).harmony, 84 + 4 * b_.energy, b_.genre->ritard ? 34 : -1);
    return std::move(out_);
  }

private:
  void write_section(const section& sec) {
    auto& g = *b_.genre;
    dice chance(b_.seed, "comp", static_cast<uint64_t>(sec.theme));
    auto& options = sec.energy + (b_.energy > 1) <= 1 ? g.comp_light : g.comp_full;
    auto main = chance.below(static_cast<int>(options.size()));
    auto other = (main + 1) % static_cast<int>(options.size());
    variation_ = dice(b_.seed, "comp variation", static_cast<uint64_t>(sec.first_bar));
    for (int bar = 0; bar < sec.bars; ++bar)
      write_bar(sec, bar, options[static_cast<size_t>(bar % 4 == 3 ? other : main)]);
  }

  void write_bar(const section& sec, int bar, text pattern) {
    bool rings = pattern.starts_with('~');
    if (rings)
      pattern.remove_prefix(1);
    auto steps = s_.shape.steps, wide = b_.genre->steps;
    auto bar_start = (sec.first_bar + bar) * s_.shape.bar_ticks();
    for (int i = 0; i < steps; ++i) {
      auto c = symbol_at(pattern, bar, i, wide);
      if (c == '.' || c == '-' || (c == 'o' && variation_.chance(15)))
        continue;
      if (c > '0' && c <= '3' && i % b_.genre->pulse != 0 && variation_.chance(9))
        c += variation_.chance(50) ? 1 : -1;
      auto start = bar_start + i * step_ticks;
      auto& span = s_.chords.at(start);
      auto held = hold_at(pattern, bar, i, wide, steps);
      auto length = rings ? std::max<int64_t>(std::min(span.end, bar_start + s_.shape.bar_ticks()) - start, step_ticks)
                          : held * step_ticks;
      bool early = i >= steps - 2 && held * step_ticks >= span.end - start && c == 'x' && b_.genre->swing8 > 0;
      auto& harmony = early ? s_.chords.at(span.end).harmony : span.harmony; // the last eighth anticipates
      int accent = (i % b_.genre->pulse == 0 ? 4 : 0) + 3 * (sec.energy - 2);
      if (c == 'x' || c == 'X' || c == 'o')
        hit(start, length, harmony, (c == 'X' ? 94 : c == 'x' ? 80 : 58) + accent, i);
      else if (c == 'b' || c == 'f')
        low_note(start, length, harmony, c == 'f', 82 + accent);
      else
        pluck(start, length, harmony, c - '0', 82 + 2 * accent);
    }
  }

  const std::vector<int>& voicing(const chord& c) {
    if (c.symbol == symbol_ && !voices_.empty())
      return voices_;
    symbol_ = c.symbol;
    auto use = c;
    if (distorted_ && c.tones.size() > 2)
      use.tones = {0, 7}; // thirds turn to noise
    auto n = distorted_ ? 3 : player_.strummed ? 4 : std::clamp(static_cast<int>(c.tones.size()), 3, 4);
    return voices_ = voice(use, voices_, n, low_, high_);
  }

  void hit(int64_t start, int64_t length, const chord& c, int velocity, int step) {
    auto& v = voicing(c);
    auto spread = step == 34 ? 34 : player_.strummed && !distorted_ ? 9 : 0;
    bool up_stroke = player_.strummed && step >= 0 && step % 4 != 0 && step != 34;
    for (size_t i = 0; i < v.size(); ++i) {
      auto late = spread * static_cast<int64_t>(up_stroke ? v.size() - 1 - i : i);
      auto top = i + 1 == v.size() ? 4 : 0;
      out_.push_back({start + late, std::max<int64_t>(length - late - 6, 40), v[i], velocity + top, part::comp});
    }
  }

  void pluck(int64_t start, int64_t length, const chord& c, int index, int velocity) {
    auto& v = voicing(c);
    auto n = static_cast<int>(v.size());
    auto key = std::min(v[static_cast<size_t>(index % n)] + 12 * (index / n), 84);
    out_.push_back({start, length, key, velocity, part::comp});
  }

  void low_note(int64_t start, int64_t length, const chord& c, bool fifth, int velocity) {
    auto pitch = 40 + mod(c.bass - 40, 12);
    if (fifth)
      pitch = pitch >= 45 ? pitch - 5 : pitch + 7;
    out_.push_back({start, length, pitch, velocity, part::comp});
  }

  const sketch& s_;
  const brief& b_;
  const instrument& player_;
  bool distorted_ = false, alone_ = false;
  int low_ = 50, high_ = 72;
  std::vector<int> voices_;
  std::string symbol_;
  dice variation_{0};
  notes out_;
};

} // namespace

notes write_comp(const sketch& s) { return s.words.comp ? comping(s).write() : notes{}; }

notes write_pad(const sketch& s) {
  notes out;
  if (!s.words.pad)
    return out;
  std::vector<int> before;
  auto shift = std::clamp(s.words.bright, -4, 4);
  for (auto& span : s.chords.spans()) {
    auto voices = voice(span.harmony, before, 4, 52 + shift, 75 + shift);
    before = voices;
    bool last = span.start >= s.shape.last_chord();
    auto sec = std::find_if(s.shape.sections.begin(), s.shape.sections.end(),
      [&](auto& x) { return span.start < (x.first_bar + x.bars) * s.shape.bar_ticks(); });
    if (!last && (sec == s.shape.sections.end() || !sec->has(part::pad)))
      continue;
    auto length = last ? s.shape.ring_ticks() * 3 / 4 : span.end - span.start;
    auto velocity = last ? 74 : 66 + 3 * (sec->energy - 2);
    for (auto key : voices) {
      auto tied = std::find_if(out.rbegin(), out.rend(), [&](auto& x) { return x.key == key; });
      bool same = tied != out.rend() && tied->end() == span.start && tied->length < 2 * s.shape.bar_ticks();
      if (same)
        tied->length += length;
      else
        out.push_back({span.start, length, key, velocity, part::pad});
    }
  }
  return out;
}

} // namespace segue::fluidsynth
