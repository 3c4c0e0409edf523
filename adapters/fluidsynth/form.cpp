// How long, how many bars, in which order, who plays when.
#include "adapters/fluidsynth/dice.hpp"
#include "adapters/fluidsynth/score.hpp"

#include <algorithm>
#include <cmath>

namespace segue::fluidsynth {

namespace {

// Chooses bars and tempo so that the last chord falls where it can ring for the rest of the wished time.
void fit_duration(form& f, const brief& b, double duration) {
  f.steps = b.steps;
  f.step_s = 15.0 / b.bpm;
  auto bar = f.steps * f.step_s;
  auto shortest = duration < 8 ? 1.5 : duration < 20 ? 2.4 : b.genre->ritard ? 4.0 : 3.2;
  auto longest = shortest + std::min(bar * 0.75, 2.5);
  auto fitting = static_cast<int>((duration - shortest) / bar);
  if (fitting < 1) { // the shortest piece there is: a bar and a chord
    f.bars = 1;
    f.ring_s = shortest;
    return;
  }
  auto reach = b.bpm_exact ? 0.006 : 0.03;
  auto best = 1e9;
  f.bars = fitting;
  f.ring_s = duration - fitting * bar;
  for (int bars = std::max(1, fitting - 2); bars <= fitting + 2; ++bars) {
    auto ring = std::clamp(duration - bars * bar, shortest, longest);
    auto stretch = (duration - ring) / (bars * bar);
    if (std::abs(stretch - 1) > reach)
      continue;
    auto uneven = bars < 8 ? 0 : bars % 4 == 0 ? 0 : bars % 2 == 0 ? 1 : 2;
    if (auto cost = uneven + std::abs(stretch - 1) * 40; cost < best) {
      best = cost;
      f.bars = bars;
      f.ring_s = ring;
    }
  }
  if (best < 1e9)
    f.step_s *= (duration - f.ring_s) / (f.bars * bar);
}

// A long last chord gives some of its time to a ritardando.
void slow_down(form& f, const brief& b) {
  if (!b.genre->ritard || f.bars < 3)
    return;
  f.slow_steps = f.steps * (f.steps * f.step_s > 3 ? 1 : 2);
  f.slowing = std::min(0.55, std::max(0.0, f.ring_s - 3.4) * 2 / (f.slow_steps * f.step_s));
  f.ring_s -= f.slowing * f.slow_steps * f.step_s / 2;
}

struct plan_item {
  const char* name;
  char theme;
  int energy;
};

// The order of the sections between intro and outro.
std::vector<plan_item> order(int n, dice& chance) {
  constexpr plan_item a1{"A", 'A', 1}, a2{"A", 'A', 2}, a3{"A", 'A', 3}, a4{"A", 'A', 4};
  constexpr plan_item b3{"B", 'B', 3}, b4{"B", 'B', 4}, c{"C", 'C', 2}, c3{"C", 'C', 3};
  constexpr plan_item solo{"solo", 'A', 2}, solo_b{"solo", 'B', 3}, calm{"breakdown", 'A', 0};
  switch (n) {
    case 0: return {};
    case 1: return {a2};
    case 2: return chance.chance(65) ? std::vector{a2, b3} : std::vector{a1, a3};
    case 3: return {a1, b3, a3};
    case 4: return {a1, a2, b3, a4};
    case 5: return {a1, b3, a2, b4, a4};
    default: break;
  }
  std::vector<plan_item> result{a1, a2, b3, a2};
  const std::vector<plan_item> middles[] = {
    {solo, b3, c, a3}, {c, solo, calm, b3}, {solo, solo_b, a3, c3}, {calm, c3, b4, a3}};
  for (int first = chance.below(4), i = 0; static_cast<int>(result.size()) < n - 2; ++i)
    result.push_back(middles[(first + i / 4) % 4][static_cast<size_t>(i % 4)]);
  result.push_back(b4);
  result.push_back(a4);
  return result;
}

void choose_players(section& s, const brief& b, dice& chance) {
  auto on = [&](part p, bool yes) { s.plays[static_cast<size_t>(p)] = yes; };
  auto energy = std::clamp(s.energy + (b.energy > 0) - (b.energy < -1), 0, 4);
  bool opening = s.name == "intro", thin = s.name == "breakdown" || s.name == "break";
  int opening_kind = chance.below(3);
  on(part::lead, b.lead && (!opening || !b.comp) && !(s.solo && b.soloist));
  on(part::soloist, b.soloist && s.solo);
  on(part::comp, b.comp);
  on(part::pad, b.pad && (energy >= 2 || thin || b.genre->drums_full.empty()));
  on(part::second, b.second && energy >= 3 && !opening && !s.solo);
  bool without_bass = (opening && opening_kind == 0 && s.bars > 1) || (s.name == "breakdown" && chance.chance(60));
  on(part::bass, b.bass && !without_bass);
  on(part::drums, b.drums && !(opening && opening_kind < 2 && s.bars > 1) && !(s.name == "breakdown"));
  if (opening && b.drums && b.genre->fills == "electronic" && s.bars > 2) // machines start with the beat
    on(part::drums, true);
  s.energy = energy;
}

} // namespace

double form::seconds(int64_t tick) const {
  auto step = static_cast<double>(tick) / step_ticks;
  auto turn = static_cast<double>(bars) * steps - slow_steps;
  auto result = step;
  if (slow_steps > 0 && step > turn) {
    auto u = std::min(step - turn, static_cast<double>(slow_steps));
    result += slowing * u * u / (2 * slow_steps);
  }
  return result * step_s;
}

form plan_form(const brief& b, double duration_s) {
  form f;
  fit_duration(f, b, duration_s);
  slow_down(f, b);
  dice chance(b.seed, "form");
  auto n = f.bars;
  auto phrase = b.genre->phrase;
  int intro = n < 4 ? 0 : n < 8 ? 1 : n < 16 ? 2 : n < 72 || b.genre->slow < 90 ? 4 : 8;
  int outro = n < 10 ? 0 : n < 24 ? 2 : 4;
  auto core = n - intro - outro;
  int count = core / phrase, rest = core % phrase;
  int bridge = rest - rest % 4;
  std::vector<section> all;
  auto add = [&](std::string name, char theme, int bars, int energy) {
    if (bars <= 0)
      return;
    section s;
    s.name = std::move(name);
    s.theme = theme;
    s.first_bar = all.empty() ? 0 : all.back().first_bar + all.back().bars;
    s.bars = bars;
    s.energy = energy;
    s.solo = s.name == "solo";
    s.pass = static_cast<int>(std::count_if(all.begin(), all.end(),
      [&](auto& x) { return x.theme == theme && x.name != "intro"; }));
    all.push_back(std::move(s));
  };
  if (count == 0) {
    add("intro", 'A', intro, 1);
    add("A", 'A', core, 2);
    add("outro", 'A', outro, 1);
  } else {
    add("intro", 'A', intro, n < 16 ? 2 : 1);
    auto items = order(count, chance);
    for (size_t i = 0; i < items.size(); ++i) {
      if (i + 1 == items.size() && i > 0)
        add("break", 'C', bridge, 1);
      add(items[i].name, items[i].theme, phrase, items[i].energy);
    }
    if (items.size() == 1)
      add("B", 'B', bridge, 3);
    add("outro", 'A', outro + rest % 4, 2);
  }
  all.back().last = true;
  for (auto& s : all)
    choose_players(s, b, chance);
  f.sections = std::move(all);
  return f;
}

} // namespace segue::fluidsynth
