#define CAF_SUITE adapters.synth_prompt

#include "adapters/fluidsynth/prompt.hpp"

#include <algorithm>
#include <set>

#include "tests/support/test.hpp"

using namespace segue::fluidsynth;

namespace {

std::string style_of(text prompt) { return std::string(read_prompt(prompt, 1).genre->name); }
std::string key_of(text prompt) { return read_prompt(prompt, 1).key.name(); }
std::string title_of(text prompt) { return read_prompt(prompt, 1).title; }

bool plays(const brief& b, const std::string& name) {
  auto names = b.instrument_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

} // namespace

CAF_TEST(words choose the style) {
  const std::vector<std::pair<const char*, const char*>> table{
    {"80 bpm lofi hip hop for studying", "lofi"}, {"jazz trio", "jazz"}, {"epic rock", "rock"}, {"chill house",
      "house"},
    {"happy jazz waltz", "jazz"}, {"a Viennese waltz", "waltz"}, {"12 bar blues in E", "blues"}, {"Irish jig",
      "celtic"},
    {"bossa nova on the beach", "bossa nova"}, {"drum and bass at night", "drum and bass"}, {"hip-hop beat", "hip hop"},
    {"8-bit boss fight", "chiptune"}, {"string quartet", "classical"}, {"movie trailer", "cinematic"}, {"reggae",
      "reggae"},
    {"ambient drone", "ambient"}, {"80s neon drive", "synthwave"}, {"disco", "funk"}, {"tango in Buenos Aires",
      "tango"}};
  for (auto& [prompt, style] : table)
    CAF_CHECK_EQUAL(style_of(prompt), style);
}

CAF_TEST(a mood without a style chooses one that fits) {
  std::set<std::string> calm{"ambient", "folk", "ballad", "classical", "lofi"};
  CAF_CHECK(calm.count(style_of("something calm and gentle")));
  CAF_CHECK_EQUAL(read_prompt("a sad rainy day", 1).mood, "sad");
  CAF_CHECK_EQUAL(read_prompt("epic battle of dragons", 1).mood, "epic");
  CAF_CHECK(is_minor(read_prompt("so sad", 7).key.scale));
}

CAF_TEST(keys are read as people write them) {
  const std::vector<std::pair<const char*, const char*>> table{
    {"piano in D minor", "D minor"}, {"in F# major", "F# major"}, {"jazz in Eb", "Eb"}, {"techno Cm", "C minor"},
    {"b flat major waltz", "Bb major"}, {"in g dorian", "G dorian"}, {"a song in A minor", "A minor"}, {"song in C#m",
      "C# minor"},
    {"key of a major", "A major"}, {"in C\u266f minor", "C# minor"}, {"E\u266d major", "Eb major"}, {"D-flat major",
      "Db major"}};
  for (auto& [prompt, key] : table)
    CAF_CHECK_EQUAL(key_of(prompt).substr(0, std::string(key).size()), key);
}

CAF_TEST(an article is not a key) {
  std::set<std::string> keys;
  for (uint64_t seed = 0; seed < 20; ++seed)
    keys.insert(read_prompt("a walk in a dark forest, I am alone", seed).key.name());
  CAF_CHECK_GREATER(keys.size(), 4u);
  CAF_CHECK(is_minor(read_prompt("a minor key ballad", 1).key.scale));
}

CAF_TEST(tempo is taken from numbers and words) {
  for (auto prompt : {"80 bpm", "80bpm techno", "tempo 80", "waltz at a tempo of 80", "jazz, 80 BPM, fast"}) {
    CAF_CHECK_EQUAL(read_prompt(prompt, 3).bpm, 80);
    CAF_CHECK(read_prompt(prompt, 3).bpm_exact);
  }
  CAF_CHECK_EQUAL(read_prompt("999 bpm", 1).bpm, 220);
  CAF_CHECK(!read_prompt("80s synthwave", 1).bpm_exact);
  for (uint64_t seed = 0; seed < 10; ++seed) {
    CAF_CHECK_LESS(read_prompt("slow jazz", seed).bpm, read_prompt("fast jazz", seed).bpm);
    CAF_CHECK_LESS(read_prompt("largo", seed).bpm, 56);
    CAF_CHECK_GREATER(read_prompt("presto", seed).bpm, 165);
  }
}

CAF_TEST(meters are read and waltzes have three beats) {
  CAF_CHECK_EQUAL(read_prompt("waltz", 1).meter(), "3/4");
  CAF_CHECK_EQUAL(read_prompt("jazz waltz", 1).meter(), "3/4");
  CAF_CHECK_EQUAL(read_prompt("jazz in 5/4", 1).meter(), "5/4");
  CAF_CHECK_EQUAL(read_prompt("irish jig", 1).meter(), "6/8");
  CAF_CHECK_EQUAL(read_prompt("rock in 7/8", 1).meter(), "7/8");
  CAF_CHECK_EQUAL(read_prompt("rock", 1).meter(), "4/4");
}

CAF_TEST(instruments that are asked for play) {
  auto b = read_prompt("jazz with saxophone and vibraphone", 1);
  CAF_CHECK_EQUAL(b.lead->name, "tenor sax");
  CAF_CHECK_EQUAL(b.comp->name, "vibraphone");
  CAF_CHECK(plays(read_prompt("flute and harp, calm", 1), "flute"));
  CAF_CHECK(plays(read_prompt("flute and harp, calm", 1), "harp"));
  CAF_CHECK_EQUAL(read_prompt("muted trumpet", 1).lead->name, "muted trumpet");
  CAF_CHECK(plays(read_prompt("classical with drums", 1), "drums"));
}

CAF_TEST(a soloist is alone) {
  auto b = read_prompt("solo piano, dreamy", 1);
  CAF_CHECK_EQUAL(b.instrument_names().size(), 1u);
  CAF_CHECK(plays(b, "piano"));
  auto flute = read_prompt("solo flute", 1);
  CAF_CHECK_EQUAL(flute.instrument_names().size(), 1u);
  CAF_CHECK(!flute.comp && !flute.bass && !flute.drums);
}

CAF_TEST(what is not wanted does not play) {
  for (auto prompt : {"rock, no drums", "funk without drums", "drumless hip hop", "jazz without bass or drums",
    "techno with no beat"})
    CAF_CHECK(!read_prompt(prompt, 1).drums);
  CAF_CHECK(!read_prompt("reggae without bass", 1).bass);
  CAF_CHECK(read_prompt("reggae without bass", 1).drums);
  CAF_CHECK(read_prompt("no piano please, but drums", 1).drums);
  for (uint64_t seed = 0; seed < 20; ++seed)
    CAF_CHECK(!plays(read_prompt("jazz, no piano", seed), "piano"));
}

CAF_TEST(titles come from the words) {
  CAF_CHECK_EQUAL(title_of("slow sad piano in D minor, rain on the window"), "Rain on the Window");
  CAF_CHECK_EQUAL(title_of("epic battle of dragons"), "Epic Battle of Dragons");
  CAF_CHECK_EQUAL(title_of("bossa nova, 120 bpm in F major"), "Bright Bossa Nova in F Major");
  CAF_CHECK_LESS(title_of(std::string(2'000, 'x')).size(), 60u);
}

CAF_TEST(every text gives a brief) {
  for (auto prompt : {"", " ", "!?", "xyzzy plugh", "#", "\xf0\x9f\x8e\xb9\xf0\x9f\x8e\xb9",
    "ein Lied \xc3\xbc" "ber den Regen", "\xe9\x9b\xa8"}) {
    auto b = read_prompt(prompt, 1);
    CAF_CHECK(b.genre && b.lead);
    CAF_CHECK(!b.title.empty());
  }
  std::set<std::string> variety;
  for (auto prompt : {"xyzzy", "plugh", "frobnicate", "quux", "blorple", "zork", "grue", "plover"})
    variety.insert(style_of(prompt));
  CAF_CHECK_GREATER(variety.size(), 3u);
}

CAF_TEST(the same prompt and seed give the same brief and another seed another) {
  std::set<std::string> keys;
  for (uint64_t seed = 0; seed < 12; ++seed) {
    auto a = read_prompt("jazz", seed), b = read_prompt("jazz", seed);
    CAF_CHECK_EQUAL(a.seed, b.seed);
    CAF_CHECK_EQUAL(a.bpm, b.bpm);
    CAF_CHECK(a.instrument_names() == b.instrument_names());
    keys.insert(a.key.name());
  }
  CAF_CHECK_GREATER(keys.size(), 4u);
}

CAF_TEST(every table is well formed) {
  for (auto* s : styles()) {
    for (auto list : {s->major_a, s->major_b, s->minor_a, s->minor_b, texts{s->major_end, s->minor_end, s->major_last,
      s->minor_last}})
      for (auto line : list)
        for (auto bar : split(line, '|'))
          for (auto symbol : split(bar, ' '))
            CAF_CHECK(!parse_chord(symbol, 0).tones.empty());
    for (auto names : {s->lead, s->comp, s->pad, s->bass})
      for (auto name : split(names, '|'))
        CAF_CHECK_EQUAL(instrument_named(name).name, name);
    for (auto list : {s->comp_light, s->comp_full, s->bass_light, s->bass_full})
      for (auto pattern : list)
        CAF_CHECK_EQUAL((pattern.size() - pattern.starts_with('~')) % static_cast<size_t>(s->steps), 0u);
    for (auto list : {s->drums_light, s->drums_full})
      for (auto row : list)
        CAF_CHECK_EQUAL(split(row, ' ').at(1).size() % static_cast<size_t>(s->steps), 0u);
  }
  for (auto& m : moods())
    for (auto name : split(m.styles, '|'))
      CAF_CHECK(style_named(name) != nullptr);
}
