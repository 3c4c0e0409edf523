#include "adapters/fluidsynth/prompt.hpp"

#include "adapters/fluidsynth/casting.hpp"
#include "adapters/fluidsynth/dice.hpp"
#include "adapters/fluidsynth/words.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

namespace segue::fluidsynth {

namespace {

using tokens = std::vector<token>;

// For words that say nothing about style or mood.
constexpr text pleasant_styles = "lofi|folk|pop|bossa nova|cinematic|ballad|synthwave|funk|jazz|ambient";

std::string normalized(const tokens& ts) {
  std::string result;
  for (auto& t : ts)
    result += t.word + ' ';
  return result;
}

bool word_at(const tokens& ts, size_t i, std::initializer_list<text> any) {
  return i < ts.size() && std::find(any.begin(), any.end(), ts[i].word) != any.end();
}

void use(tokens& ts, size_t at, size_t n) {
  for (size_t i = at; i < at + n && i < ts.size(); ++i)
    ts[i].used = true;
}

std::optional<int> number(text x) {
  if (x.empty() || x.size() > 3 || !std::all_of(x.begin(), x.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  int result = 0;
  for (char c : x)
    result = result * 10 + c - '0';
  return result;
}

// "80 bpm", "80bpm", "tempo 80", "tempo of 80".
std::optional<int> read_bpm(tokens& ts) {
  for (size_t i = 0; i < ts.size(); ++i) {
    text w = ts[i].word;
    bool glued = w.size() > 3 && w.ends_with("bpm");
    auto n = number(glued ? w.substr(0, w.size() - 3) : w);
    if (!n)
      continue;
    bool before = i > 0 && (word_at(ts, i - 1, {"tempo", "bpm"}) || (i > 1 && word_at(ts, i - 2, {"tempo"})));
    bool after = word_at(ts, i + 1, {"bpm", "beats"});
    if (glued || before || after) {
      use(ts, i, glued || !after ? 1 : 2);
      return std::clamp(*n, 40, 220);
    }
  }
  return std::nullopt;
}

std::optional<mode> mode_at(const tokens& ts, size_t i) {
  if (word_at(ts, i, {"minor", "min", "moll"}))
    return mode::minor;
  if (word_at(ts, i, {"major", "maj", "dur"}))
    return mode::major;
  for (auto m : {mode::dorian, mode::phrygian, mode::lydian, mode::mixolydian})
    if (i < ts.size() && ts[i].word == name_of(m))
      return m;
  return std::nullopt;
}

struct found_key {
  std::optional<int> tonic;
  std::optional<mode> scale;
};

// "D minor", "in F#", "Eb", "Cm", "key of a", "B flat major"; a bare "minor" gives only the mode.
found_key read_key(tokens& ts) {
  found_key result;
  for (size_t i = 0; i < ts.size(); ++i) {
    auto& s = ts[i].spelled;
    auto letter = static_cast<char>(std::toupper(static_cast<unsigned char>(s[0])));
    if (letter < 'A' || letter > 'G' || s.size() > 3)
      continue;
    constexpr int naturals[] = {9, 11, 0, 2, 4, 5, 7};
    int tonic = naturals[letter - 'A'];
    size_t n = 1, used = 1;
    bool sign = true;
    if (s.size() > n && s[n] == '#')
      ++tonic, ++n;
    else if (s.size() > n && s[n] == 'b')
      --tonic, ++n;
    else if (s.size() == 1 && word_at(ts, i + 1, {"sharp"}))
      ++tonic, ++used;
    else if (s.size() == 1 && word_at(ts, i + 1, {"flat"}))
      --tonic, ++used;
    else
      sign = false;
    bool glued_minor = s.size() == n + 1 && s[n] == 'm';
    if (s.size() != n + (glued_minor ? 1 : 0))
      continue;
    auto scale = glued_minor ? std::optional(mode::minor) : mode_at(ts, i + used);
    bool key_of = i > 1 && word_at(ts, i - 1, {"of"}) && word_at(ts, i - 2, {"key"});
    bool announced = key_of || (i > 0 && word_at(ts, i - 1, {"in"}));
    bool capital = s[0] == letter;
    bool last = i + 1 == ts.size() || ts[i].clause_ends;
    bool article = s == "a" && !key_of
                   && (!scale || word_at(ts, i + used + 1, {"key", "mode", "mood", "scale", "piece", "song", "tune"}));
    bool in_words = scale && !glued_minor;                              // "d minor"
    bool in_signs = capital && (sign || (glued_minor && letter != 'A')); // "Eb", "Cm"
    bool in_context = announced && (sign || glued_minor || (capital && (last || letter != 'A'))); // "in G"
    if (article || !(in_words || in_signs || in_context))
      continue;
    if (scale && !glued_minor)
      ++used;
    use(ts, i, used);
    result.tonic = mod(tonic, 12);
    result.scale = scale;
    return result;
  }
  for (size_t i = 0; i < ts.size() && !result.scale; ++i)
    if ((result.scale = mode_at(ts, i)))
      use(ts, i, 1);
  return result;
}

const pace* read_pace(tokens& ts) {
  const pace* best = nullptr;
  size_t longest = 0;
  for (size_t i = 0; i < ts.size(); ++i)
    for (auto& p : paces())
      if (auto n = match(ts, i, p.words); n > longest) {
        best = &p;
        longest = n;
        use(ts, i, n);
      }
  return best;
}

// The style named best: by its own name, early, and as the last word of its clause ("epic rock" is rock).
const style* read_style(tokens& ts, bool& three) {
  const style* best = nullptr;
  int best_score = -1'000;
  int clause = 0, inside = 0;
  for (size_t i = 0; i < ts.size(); ++i) {
    for (auto* x : styles())
      if (auto n = match(ts, i, x->words); n > 0) {
        use(ts, i, match(ts, i, split(x->words, '|')[0])); // the rest may still speak in the title
        if (x->name == "waltz" && word_at(ts, i, {"waltz", "waltzes", "3"})) {
          three = true;
          if (best && best->name != "waltz")
            continue; // "jazz waltz" is jazz in three
        }
        bool waltz_so_far = best && best->name == "waltz";
        auto score = 100 * (match(ts, i, split(x->words, '|')[0]) > 0) + 30 * static_cast<int>(n) - 40 * clause + inside
                     + 500 * waltz_so_far;
        if (score > best_score) {
          best = x;
          best_score = score;
        }
      }
    inside = ts[i].clause_ends ? 0 : inside + 1;
    clause += ts[i].clause_ends;
  }
  return best;
}

const mood* read_mood(const tokens& ts) {
  for (size_t i = 0; i < ts.size(); ++i)
    for (auto& m : moods())
      if (match(ts, i, m.words) > 0 && !(i > 0 && word_at(ts, i - 1, {"not", "no", "without"})))
        return &m;
  return nullptr;
}

} // namespace

std::string brief::meter() const {
  if (genre->pulse == 6)
    return std::to_string(steps / 2) + "/8";
  return steps % 4 == 0 ? std::to_string(steps / 4) + "/4" : std::to_string(steps / 2) + "/8";
}

std::vector<std::string> brief::instrument_names() const {
  std::vector<std::string> result;
  for (auto* x : {lead, soloist, second, comp, pad, bass})
    if (x && std::find(result.begin(), result.end(), x->name) == result.end())
      result.emplace_back(x->name);
  if (drums)
    result.emplace_back("drums");
  return result;
}

brief read_prompt(text prompt, uint64_t seed) {
  auto ts = tokenize(prompt);
  auto words_hash = hash_of(normalized(ts));
  brief result;
  result.seed = hash_of("piece", words_hash ^ (seed + 1) * 0x9e3779b97f4a7c15ull);
  dice by_words(words_hash, "words"), by_seed(result.seed, "brief");

  auto bpm = read_bpm(ts);
  auto key = read_key(ts);
  auto* tempo = read_pace(ts);
  bool three = false;
  auto* genre = read_style(ts, three);
  auto* feeling = read_mood(ts);
  if (!genre && feeling)
    genre = style_named(by_words.pick(split(feeling->styles, '|')));
  if (!genre)
    genre = style_named(by_words.pick(split(pleasant_styles, '|')));
  result.genre = genre;

  result.steps = three && genre->pulse == 4 ? 12 : genre->steps;
  for (auto [sign, steps] : {std::pair<text, int>{"5/4", 20}, {"7/8", 14}, {"3/4", 12}, {"4/4", 16}, {"7/4", 28}})
    if (genre->pulse == 4 && prompt.find(sign) != text::npos)
      result.steps = steps;

  mood neutral{};
  auto& m = feeling ? *feeling : neutral;
  auto minor = by_seed.chance(m.minor < 0 ? genre->minor : (m.minor * 3 + genre->minor) / 4);
  if (m.minor >= 88) // a sad piece is in minor even in a sunny style
    minor = true;
  result.key.scale = key.scale.value_or(minor ? genre->minor_scale : genre->major_scale);
  result.key.tonic = key.tonic.value_or(by_seed.below(12));

  auto faster = m.faster + (tempo ? tempo->faster : 0);
  auto usual = by_seed.between(genre->slow, genre->fast);
  auto wish = tempo && tempo->bpm ? tempo->bpm + by_seed.between(-2, 2) : usual * (100 + faster) / 100;
  result.bpm = std::clamp(wish, 44, 200);
  result.bpm_exact = bpm.has_value();
  if (bpm)
    result.bpm = *bpm;

  result.mood = feeling ? std::string(feeling->name)
                : is_minor(result.key.scale) ? result.bpm < 96 ? "pensive" : "restless"
                : result.bpm < 96 ? "warm" : "bright";
  result.energy = m.energy;
  result.bright = m.bright;
  result.reverb = std::clamp(genre->reverb + m.reverb, 5, 100);
  cast(result, ts, by_seed);
  result.title = title_of(ts, result.mood + ' ' + std::string(genre->name) + " in " + result.key.name());
  return result;
}

} // namespace segue::fluidsynth
