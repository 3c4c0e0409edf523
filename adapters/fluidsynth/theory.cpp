#include "adapters/fluidsynth/theory.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>

namespace segue::fluidsynth {

namespace {

struct quality {
  std::string_view suffix;
  std::vector<int> major, minor; // tones after an upper case and after a lower case numeral
};

// clang-format off
const std::vector<quality>& qualities() {
  static const std::vector<quality> table{
    {"",      {0, 4, 7},             {0, 3, 7}},
    {"5",     {0, 7},                {0, 7}},
    {"6",     {0, 4, 7, 9},          {0, 3, 7, 9}},
    {"69",    {0, 4, 7, 9, 14},      {0, 3, 7, 9, 14}},
    {"7",     {0, 4, 7, 10},         {0, 3, 7, 10}},
    {"maj7",  {0, 4, 7, 11},         {0, 3, 7, 11}},
    {"9",     {0, 4, 7, 10, 14},     {0, 3, 7, 10, 14}},
    {"maj9",  {0, 4, 7, 11, 14},     {0, 3, 7, 11, 14}},
    {"add9",  {0, 4, 7, 14},         {0, 3, 7, 14}},
    {"11",    {0, 7, 10, 14, 17},    {0, 3, 7, 10, 14, 17}},
    {"13",    {0, 4, 10, 14, 21},    {0, 3, 10, 14, 21}},
    {"7b9",   {0, 4, 7, 10, 13},     {0, 3, 7, 10, 13}},
    {"7#9",   {0, 4, 7, 10, 15},     {0, 3, 7, 10, 15}},
    {"sus4",  {0, 5, 7},             {0, 5, 7}},
    {"sus2",  {0, 2, 7},             {0, 2, 7}},
    {"7sus4", {0, 5, 7, 10},         {0, 5, 7, 10}},
    {"9sus4", {0, 5, 7, 10, 14},     {0, 5, 7, 10, 14}},
    {"o",     {0, 3, 6},             {0, 3, 6}},
    {"o7",    {0, 3, 6, 9},          {0, 3, 6, 9}},
    {"h7",    {0, 3, 6, 10},         {0, 3, 6, 10}},
    {"+",     {0, 4, 8},             {0, 4, 8}},
  };
  return table;
}
// clang-format on

pitch_set rotate(const pitch_set& x, int by) {
  pitch_set result;
  for (int i = 0; i < 12; ++i)
    if (x[static_cast<size_t>(i)])
      result.set(static_cast<size_t>(mod(i + by, 12)));
  return result;
}

pitch_set make_set(std::initializer_list<int> xs) {
  pitch_set result;
  for (int x : xs)
    result.set(static_cast<size_t>(x));
  return result;
}

// Moves the second highest of a close voicing an octave down: how guitars and jazz pianists open a chord.
std::vector<int> drop_two(std::vector<int> x) {
  if (x.size() >= 4)
    x[x.size() - 2] -= 12;
  std::sort(x.begin(), x.end());
  return x;
}

int cost(const std::vector<int>& x, const std::vector<int>& before, int middle) {
  int result = 0, sum = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    sum += x[i];
    if (!before.empty())
      result += 3 * std::abs(x[i] - before[std::min(i, before.size() - 1)]);
    if (i > 0 && x[i] - x[i - 1] == 1)
      result += i + 1 == x.size() ? 12 : 3; // a half-step on top bites
    if (i > 0 && x[i - 1] < 52 && x[i] - x[i - 1] < 4)
      result += 14; // mud
  }
  return result + 2 * std::abs(sum / static_cast<int>(x.size()) - middle);
}

} // namespace

pitch_set scale_of(mode m) {
  switch (m) {
    case mode::major: return make_set({0, 2, 4, 5, 7, 9, 11});
    case mode::minor: return make_set({0, 2, 3, 5, 7, 8, 10});
    case mode::dorian: return make_set({0, 2, 3, 5, 7, 9, 10});
    case mode::phrygian: return make_set({0, 1, 3, 5, 7, 8, 10});
    case mode::lydian: return make_set({0, 2, 4, 6, 7, 9, 11});
    case mode::mixolydian: return make_set({0, 2, 4, 5, 7, 9, 10});
  }
  return {};
}

std::string_view name_of(mode m) {
  constexpr std::array<std::string_view, 6> names{"major", "minor", "dorian", "phrygian", "lydian", "mixolydian"};
  return names[static_cast<size_t>(m)];
}

pitch_set key_signature::pitches() const { return rotate(scale_of(scale), tonic); }

std::string key_signature::name() const {
  constexpr std::array<const char*, 12> major{"C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"};
  constexpr std::array<const char*, 12> minor{"C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"};
  return std::string((is_minor(scale) ? minor : major)[static_cast<size_t>(tonic)]) + ' ' + std::string(name_of(scale));
}

pitch_set chord::pitches() const {
  pitch_set result;
  for (int x : tones)
    result.set(static_cast<size_t>(mod(root + x, 12)));
  return result;
}

chord parse_chord(std::string_view roman, int tonic) {
  auto bad = [all = std::string(roman)] { return std::invalid_argument("not a chord: " + all); };
  chord result;
  result.symbol = roman;
  int shift = 0;
  for (; !roman.empty() && (roman[0] == 'b' || roman[0] == '#'); roman.remove_prefix(1))
    shift += roman[0] == '#' ? 1 : -1;
  auto length = std::min(roman.find_first_not_of("IViv"), roman.size());
  std::string numeral(roman.substr(0, length));
  auto lower = !numeral.empty() && numeral[0] >= 'i';
  for (auto& c : numeral)
    c = c == 'i' ? 'I' : c == 'v' ? 'V' : c;
  constexpr std::array<std::string_view, 7> numerals{"I", "II", "III", "IV", "V", "VI", "VII"};
  constexpr std::array degrees{0, 2, 4, 5, 7, 9, 11};
  auto i = std::find(numerals.begin(), numerals.end(), numeral);
  if (i == numerals.end())
    throw bad();
  result.root = mod(tonic + degrees[static_cast<size_t>(i - numerals.begin())] + shift, 12);
  auto suffix = roman.substr(length);
  auto slash = suffix.find('/');
  auto inversion = slash == std::string_view::npos ? std::string_view() : suffix.substr(slash + 1);
  suffix = suffix.substr(0, slash);
  auto q = std::find_if(qualities().begin(), qualities().end(), [&](auto& x) { return x.suffix == suffix; });
  if (q == qualities().end())
    throw bad();
  result.tones = lower ? q->minor : q->major;
  auto index = inversion.empty() ? 0u : inversion == "3" ? 1u : inversion == "5" ? 2u : inversion == "7" ? 3u : 9u;
  if (index >= result.tones.size())
    throw bad();
  result.bass = mod(result.root + result.tones[index], 12);
  return result;
}

pitch_set scale_on(const chord& c, const key_signature& k) {
  auto result = k.pitches();
  auto tones = c.pitches();
  for (size_t i = 0; i < 12; ++i) {
    if (!tones[i] || result[i])
      continue;
    for (auto neighbour : {(i + 1) % 12, (i + 11) % 12})
      if (!tones[neighbour])
        result.reset(neighbour);
    result.set(i);
  }
  return result;
}

int nearest(int pitch, const pitch_set& set, bool up) {
  for (int d = 0; d < 12; ++d)
    for (int sign : {up ? 1 : -1, up ? -1 : 1})
      if (set[static_cast<size_t>(mod(pitch + sign * d, 12))])
        return pitch + sign * d;
  return pitch;
}

int step(int pitch, int n, const pitch_set& set) {
  if (set.none())
    return pitch;
  for (int sign = n < 0 ? -1 : 1; n != 0; n -= sign)
    do
      pitch += sign;
    while (!set[static_cast<size_t>(mod(pitch, 12))]);
  return pitch;
}

std::vector<int> voice(const chord& c, const std::vector<int>& before, int n, int low, int high) {
  auto tones = c.tones;
  // What colours a chord least goes first: the root (the bass has it) of a big chord, then the fifth.
  if (static_cast<int>(tones.size()) > n && tones.size() >= 5)
    tones.erase(tones.begin());
  for (int fifth : {7, 0, 14})
    if (auto i = std::find(tones.begin(), tones.end(), fifth); static_cast<int>(tones.size()) > n && i != tones.end())
      tones.erase(i);
  std::vector<int> best, fallback;
  int best_cost = 1 << 20;
  auto consider = [&](const std::vector<int>& x) {
    if (fallback.empty())
      fallback = x;
    if (x.front() < low || x.back() > high)
      return;
    if (auto v = cost(x, before, (low + high) / 2); v < best_cost) {
      best_cost = v;
      best = x;
    }
  };
  std::vector<int> classes;
  for (int x : tones)
    classes.push_back(mod(c.root + x, 12));
  std::sort(classes.begin(), classes.end());
  for (size_t first = 0; first < classes.size(); ++first)
    for (int base = low + mod(classes[first] - low, 12); base <= high; base += 12) {
      std::vector<int> x{base};
      while (static_cast<int>(x.size()) < n) { // upwards; a small chord is doubled at the octave
        auto next = classes[(first + x.size()) % classes.size()];
        x.push_back(x.back() + (mod(next - x.back(), 12) == 0 ? 12 : mod(next - x.back(), 12)));
      }
      consider(x);
      consider(drop_two(x));
    }
  return best.empty() ? fallback : best;
}

} // namespace segue::fluidsynth
