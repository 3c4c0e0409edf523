#include "adapters/fluidsynth/composer.hpp"

#include "adapters/fluidsynth/writers.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace segue::fluidsynth {

namespace {

// Listeners wait for nothing: when all patterns begin with a rest, one long low note is there from the start.
void start_at_once(const sketch& s, notes& score) {
  if (!score.empty() && s.shape.seconds(score.front().start) < 0.12)
    return;
  if (!s.words.bass && !s.words.comp && !s.words.lead)
    return;
  auto& c = s.chords.at(0).harmony;
  auto who = s.words.bass ? part::bass : s.words.comp ? part::comp : part::lead;
  auto low = who == part::bass ? 33 : who == part::comp ? 45 : range_of(*s.words.lead, s.words).low;
  auto until = score.empty() ? s.shape.bar_ticks() : score.front().start;
  score.insert(score.begin(), {0, std::max(until, s.shape.bar_ticks() / 2), low + mod(c.bass - low, 12), 84, who});
}

} // namespace

composition compose(text prompt, uint64_t seed, double duration_s) {
  auto words = read_prompt(prompt, seed);
  auto shape = plan_form(words, duration_s);
  composition result{words, shape, plan_harmony(words, shape), {}, {}, {}, 0, 0};
  sketch s{result.words, result.shape, result.chords};

  auto melody = write_melody(s);
  for (auto part : {melody, write_second_voice(s, melody), write_comp(s), write_pad(s), write_bass(s), write_drums(s)})
    result.score.insert(result.score.end(), part.begin(), part.end());
  std::stable_sort(result.score.begin(), result.score.end(), [](auto& a, auto& b) { return a.start < b.start; });
  start_at_once(s, result.score);

  result.channels = mix(result.words);
  result.events = perform(s, result.score);
  auto end = shape.seconds(shape.last_chord());
  result.length = static_cast<uint64_t>(std::llround((end + shape.ring_s) * frame_rate));
  auto fade = std::min(shape.ring_s * 0.65, 3.5);
  result.fade_start = result.length - static_cast<uint64_t>(std::llround(fade * frame_rate));
  return result;
}

std::string plan_json(const composition& x) {
  auto ms = [&](int64_t tick) { return std::llround(x.shape.seconds(tick) * 1'000); };
  nlohmann::ordered_json plan;
  plan["title"] = x.words.title;
  plan["tempo_bpm"] = std::llround(15 / x.shape.step_s);
  plan["key"] = x.words.key.name();
  plan["meter"] = x.words.meter();
  plan["mood"] = x.words.mood;
  plan["style"] = x.words.genre->name;
  plan["instruments"] = x.words.instrument_names();
  auto& sections = plan["sections"] = nlohmann::ordered_json::array();
  for (auto& s : x.shape.sections)
    sections.push_back({{"name", s.name}, {"start_ms", ms(s.first_bar * x.shape.bar_ticks())}});
  sections.push_back({{"name", "ending"}, {"start_ms", ms(x.shape.last_chord())}});
  plan["duration_ms"] = std::llround(static_cast<double>(x.length) * 1'000 / frame_rate);
  return plan.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace segue::fluidsynth
