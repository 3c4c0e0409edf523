// Chords for every bar, from the progressions of the style.
#include "adapters/fluidsynth/dice.hpp"
#include "adapters/fluidsynth/score.hpp"

#include <algorithm>
#include <map>

namespace segue::fluidsynth {

namespace {

class planner {
public:
  planner(const brief& b, const form& f) : b_(b), f_(f) {}

  std::vector<chord_span> plan() {
    choose();
    for (auto& s : f_.sections) {
      auto& bars = themes_[s.theme];
      for (int i = 0; i < s.bars; ++i) {
        bool cadence = s.last && i + 1 == s.bars;
        if (cadence && f_.bars == 1)
          add_bar(std::string(last()) + ' ' + std::string(split(end(), ' ').back()));
        else
          add_bar(cadence ? end() : bars[static_cast<size_t>(i) % bars.size()]);
      }
    }
    add(last(), int64_t{1} << 40);
    return std::move(spans_);
  }

private:
  bool minor() const { return is_minor(b_.key.scale); }
  text end() const { return minor() ? b_.genre->minor_end : b_.genre->major_end; }
  text last() const { return minor() ? b_.genre->minor_last : b_.genre->major_last; }

  void choose() {
    dice chance(b_.seed, "harmony");
    auto& as = minor() ? b_.genre->minor_a : b_.genre->major_a;
    auto& bs = minor() ? b_.genre->minor_b : b_.genre->major_b;
    auto a = static_cast<size_t>(chance.below(static_cast<int>(as.size())));
    auto b = static_cast<size_t>(chance.below(static_cast<int>(bs.size())));
    themes_['A'] = split(as[a], '|');
    themes_['B'] = split(bs[b], '|');
    themes_['C'] = split(bs.size() > 1 ? bs[(b + 1) % bs.size()] : as[(a + 1) % as.size()], '|');
  }

  void add_bar(text bar) {
    auto chords = split(bar, ' ');
    auto pulse = b_.genre->pulse;
    auto beats = f_.steps / pulse;
    int done = 0;
    for (size_t i = 0; i < chords.size(); ++i) {
      auto left = static_cast<int>(chords.size() - i);
      auto steps = left == 1 ? f_.steps - done : (beats - done / pulse + left - 1) / left * pulse;
      add(chords[i], steps * step_ticks);
      done += steps;
    }
  }

  void add(text symbol, int64_t ticks) {
    auto start = spans_.empty() ? 0 : spans_.back().end;
    spans_.push_back({start, start + ticks, parse_chord(symbol, b_.key.tonic)});
  }

  const brief& b_;
  const form& f_;
  std::map<char, texts> themes_;
  std::vector<chord_span> spans_;
};

} // namespace

const chord_span& progression::at(int64_t tick) const {
  auto i = std::upper_bound(spans_.begin(), spans_.end(), tick, [](int64_t t, auto& s) { return t < s.end; });
  return i == spans_.end() ? spans_.back() : *i;
}

const chord& progression::under(int64_t start, int64_t length) const {
  auto& first = at(start);
  auto& next = at(first.end);
  auto later = start + length - first.end;
  return later > length / 2 && first.end - start <= 2 * step_ticks ? next.harmony : first.harmony;
}

progression plan_harmony(const brief& b, const form& f) { return progression(planner(b, f).plan()); }

} // namespace segue::fluidsynth
