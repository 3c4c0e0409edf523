// Drums: the patterns of the style, fills where sections end, cymbals where they begin.
#include "adapters/fluidsynth/writers.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace segue::fluidsynth {

namespace {

struct drum {
  text name;
  int key, level; // level: velocity of a plain stroke; cymbals of the soundfont are quiet
};

constexpr std::array kit{
  drum{"kick", 36, 96}, drum{"snare", 38, 90}, drum{"rim", 37, 84}, drum{"clap", 39, 92}, drum{"hat", 42, 100},
  drum{"pedal", 44, 90}, drum{"open", 46, 104}, drum{"ride", 51, 112}, drum{"crash", 49, 96}, drum{"low", 41, 88},
  drum{"mid", 45, 86}, drum{"high", 48, 86}, drum{"tambourine", 54, 70}, drum{"cowbell", 56, 62},
  drum{"shaker", 70, 66}, drum{"conga", 63, 76}, drum{"timbale", 65, 72}, drum{"claves", 75, 58},
};

struct row {
  const drum* what;
  text pattern;
};

// The last half of a bar in eight steps; several rows make one fill.
struct fill {
  text family;
  texts rows;
};

// clang-format off
const std::vector<fill>& fills() {
  static const std::vector<fill> table{
    {"rock",       {"snare xxxX....", "high ....xx..", "low ......xX"}},
    {"rock",       {"snare x..x..xX", "kick .x..x..."}},
    {"rock",       {"high xx......", "mid ..xx....", "low ....xxxX"}},
    {"rock",       {"snare oxoxxxXX", "kick x...x..."}},
    {"rock",       {"snare ....xxxX", "hat x.x.....", "kick x.x....."}},
    {"swing",      {"snare x...x.xX", "kick ..x....."}},
    {"swing",      {"snare ..x.x...", "high ....x...", "low ......x.", "kick x......."}},
    {"swing",      {"snare o.x.o.x.", "ride x...x..."}},
    {"electronic", {"snare o.o.xxXX", "clap ....x.x."}},
    {"electronic", {"snare ooxxxxXX"}},
    {"electronic", {"clap ..x..x.x", "kick x..x...."}},
    {"latin",      {"timbale x.xxx.xX", "kick x......."}},
    {"latin",      {"high x.x.....", "timbale ...x.xxX", "kick ....x..."}},
    {"soft",       {"rim ....x.xx"}},
    {"soft",       {"high ....x...", "mid ......x.", "rim x......."}},
    {"soft",       {"snare ....o.ox", "kick x......."}},
    {"drama",      {"low x.x.xxxX", "high ..x.x.xx"}},
    {"drama",      {"low x..x..xX", "snare oooooxxX"}},
    {"march",      {"snare xxxxxxXX", "kick x...x..."}},
  };
  return table;
}
// clang-format on

row parse(text line) {
  auto words = split(line, ' ');
  auto d = std::find_if(kit.begin(), kit.end(), [&](auto& x) { return x.name == words.at(0); });
  if (d == kit.end())
    throw std::invalid_argument("no drum called " + std::string(words.at(0)));
  return {&*d, words.at(1)};
}

class drummer {
public:
  explicit drummer(const sketch& s) : s_(s), b_(s.words), chance_(s.words.seed, "drums") {}

  notes write() {
    auto& all = s_.shape.sections;
    for (size_t i = 0; i < all.size(); ++i)
      if (all[i].has(part::drums))
        write_section(all[i], i + 1 < all.size() ? &all[i + 1] : nullptr);
    if (all.back().has(part::drums))
      finish();
    return std::move(out_);
  }

private:
  std::vector<row> groove(bool full) const {
    static const texts plain{"kick  x.......x.......", "rim   ....x.......x...", "shaker x.o.x.o.x.o.x.o."};
    auto& g = *b_.genre;
    auto& lines = g.drums_full.empty() ? plain : full ? g.drums_full : g.drums_light;
    std::vector<row> rows;
    for (auto line : lines)
      rows.push_back(parse(line));
    return rows;
  }

  void write_section(const section& sec, const section* next) {
    auto energy = sec.energy + (b_.energy > 0) + (b_.energy < 0 ? -1 : 0);
    auto rows = groove(energy >= 2);
    auto width = b_.genre->drums_full.empty() ? 16 : b_.genre->steps;
    auto steps = s_.shape.steps;
    if (cymbal_ && sec.energy >= 2)
      stroke(kit[8], sec.first_bar * s_.shape.bar_ticks(), 'x', soft() ? -30 : -4);
    for (int bar = 0; bar < sec.bars; ++bar) {
      bool last = bar + 1 == sec.bars;
      bool filled = (last && (!next || next->has(part::drums))) || (bar % 4 == 3 && chance_.chance(30));
      auto fill_steps = !filled || b_.genre->fills.empty() ? 0 : last && energy >= 2 ? 8 : 4;
      fill_steps = std::min(fill_steps, steps / 2);
      auto start = (sec.first_bar + bar) * s_.shape.bar_ticks();
      for (auto& r : rows)
        for (int i = 0; i < steps - fill_steps; ++i)
          stroke(*r.what, start + i * step_ticks, symbol_at(r.pattern, bar, i, width), 2 * (sec.energy - 2));
      if (fill_steps > 0)
        write_fill(start + (steps - fill_steps) * step_ticks, fill_steps);
      cymbal_ = last && fill_steps > 0;
    }
  }

  bool soft() const { return b_.genre->fills == "soft" || b_.genre->fills == "swing"; }

  void write_fill(int64_t start, int steps) {
    std::vector<const fill*> options;
    for (auto& x : fills())
      if (x.family == b_.genre->fills)
        options.push_back(&x);
    for (auto line : chance_.pick(options)->rows) {
      auto r = parse(line);
      for (int i = 0; i < steps; ++i) // a short fill is the end of a long one; all grow
        stroke(*r.what, start + i * step_ticks, r.pattern[static_cast<size_t>(8 - steps + i)], i * 2 - 6);
    }
  }

  void stroke(const drum& d, int64_t start, char symbol, int louder) {
    if (symbol == '.' || symbol == '-' || (symbol == '?' && !chance_.chance(35)))
      return;
    auto velocity = d.level + louder + (symbol == 'X' ? 12 : symbol == 'o' ? -34 : symbol == '?' ? -16 : 0);
    out_.push_back({start, 100, d.key, std::clamp(velocity, 20, 124), part::drums});
  }

  void finish() {
    auto end = s_.shape.last_chord();
    stroke(kit[0], end, 'x', 0);
    stroke(kit[8], end, 'x', soft() ? -24 : 4);
  }

  const sketch& s_;
  const brief& b_;
  dice chance_;
  bool cymbal_ = false;
  notes out_;
};

} // namespace

notes write_drums(const sketch& s) { return s.words.drums ? drummer(s).write() : notes{}; }

} // namespace segue::fluidsynth
