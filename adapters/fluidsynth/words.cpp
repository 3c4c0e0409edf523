#include "adapters/fluidsynth/words.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace segue::fluidsynth {

namespace {

// clang-format off
constexpr std::array mood_table{
  //   name         minor faster energy bright reverb styles, words
  mood{"happy",         6,     8,     1,     2,    -5,  "pop|folk|funk|reggae|jazz|country",
    "happ*|joy*|cheer*|sunny|sunshine|fun|playful*|upbeat|party|celebrat*|birthday|summer|smil*|optimist*|"
    "bright|morning"},
  mood{"sad",          92,   -12,    -1,    -2,    10,  "ballad|classical|folk|cinematic|lofi",
    "sad*|melanchol*|sorrow*|tear*|cry*|lone*|alone|grie*|lost|heartbr*|farewell|goodbye|miss*|tragic"},
  mood{"dark",         98,    -6,     0,    -4,    15,  "cinematic|techno|ambient|synthwave|hip hop",
    "dark*|ominous|evil|horror*|scary|spooky|haunt*|sinister|gloom*|goth*|nightmare*|shadow*|doom*|dungeon*"},
  mood{"rainy",        72,    -8,    -1,     0,    12,  "lofi|ballad|jazz|lofi",
    "rain*|drizzl*|window*|autumn|fog*|mist*|grey|gray|november|storm*|cloudy"},
  mood{"dreamy",       35,   -10,    -1,     3,    25,  "ambient|lofi|synthwave|ballad",
    "dream*|float*|ethereal|hazy|cloud*|star*|moon*|cosmic|underwater|ocean|sea|wave*|galax*|aurora|drift*"},
  mood{"calm",         25,   -14,    -2,     0,    12,  "ambient|folk|ballad|classical|lofi",
    "calm*|peace*|relax*|gentl*|soft*|lullab*|quiet*|zen|sooth*|seren*|still*|tender*|tranquil*|sleep*|snow*|"
    "winter|mellow|medit*"},
  mood{"epic",         75,     6,     2,     0,    15,  "cinematic|cinematic|rock|metal",
    "epic*|hero*|battle*|war|triumph*|majestic|grand|victor*|glor*|dragon*|adventur*|quest|viking*|boss"},
  mood{"energetic",    60,    10,     2,     1,    -8,  "rock|techno|house|drum and bass|funk",
    "energ*|driv*|power*|intens*|workout|gym|run|runn*|pump*|wild*|hard|excit*|hype|race|racing|aggressiv*|"
    "angry|furious"},
  mood{"romantic",     28,    -6,    -1,     0,     8,  "ballad|bossa nova|jazz|waltz",
    "love*|romantic*|kiss*|sweet*|wedding|heart*|valentine*|candle*"},
  mood{"mysterious",   88,    -4,     0,     0,    18,  "cinematic|jazz|celtic|ambient",
    "myster*|secret*|magic*|enchant*|fair*|strange*|detective|spy|witch*|wizard*|alien*|unknown"},
  mood{"nostalgic",    40,    -5,    -1,     0,    10,  "lofi|synthwave|waltz|ballad|folk",
    "nostalg*|memor*|vintage|old|childhood|remember*|yesterday|photograph*|wistful*"},
  mood{"hopeful",      12,     2,     0,     2,    10,  "pop|folk|cinematic|house",
    "hope*|inspir*|uplift*|dawn|sunrise|spring|new|rising|motivat*|positive|bloom*"},
  mood{"tense",        97,    10,     1,    -2,     5,  "cinematic|techno|drum and bass",
    "tens*|suspens*|chas*|urgent|anxious|danger*|thriller|escape|panic"},
  mood{"elegant",      35,     0,     0,     1,    10,  "classical|waltz|classical",
    "elegant*|noble|royal*|graceful*|palace|castle|baroque|salon|tea"},
  mood{"cool",         -1,    -2,     0,    -1,     0,  "lofi|funk|jazz|hip hop|bossa nova|house",
    "cool|smooth*|laid|lazy|night*|city|urban|midnight|groov*|street*|drive"},
};

constexpr std::array pace_table{
  pace{"very slow|super slow|largo|grave", 50},
  pace{"very fast|super fast|presto|prestissimo", 176},
  pace{"adagio", 68}, pace{"andante", 84}, pace{"moderato", 108}, pace{"allegretto", 114}, pace{"allegro", 136},
  pace{"vivace", 152},
  pace{"mid tempo|medium tempo|medium", 104},
  pace{"slow*|downtempo", 0, -20}, pace{"fast*|quick*|uptempo|up tempo|rapid|speedy", 0, 18},
};
// clang-format on

constexpr text fillers =
  " a an the of on in at to for with and or by from under over into some my your our his her their its it is are "
  "that this like as very bit little really please i we you me want need would could where when while through "
  "no not without but so then than be out up off about around ";
constexpr text shop_talk =
  " song songs piece music tune track theme bpm tempo key major minor instrumental background sound sounds beat "
  "beats melody melodies style mood feel vibe vibes make create write generate play compose loop featuring feat "
  "second seconds minute minutes long solo duo trio quartet band ensemble string version record something only "
  "just ";

bool listed(text list, text word) {
  return list.find(" " + std::string(word) + " ") != text::npos;
}

bool matches(text word, text pattern) {
  if (!pattern.empty() && pattern.back() == '*')
    return word.starts_with(pattern.substr(0, pattern.size() - 1));
  return word == pattern;
}

} // namespace

std::span<const mood> moods() { return mood_table; }

std::span<const pace> paces() { return pace_table; }

bool is_filler(text word) { return listed(fillers, word); }

bool is_shop_talk(text word) { return listed(shop_talk, word); }

std::vector<token> tokenize(text prompt) {
  std::string clean;
  for (size_t i = 0; i < prompt.size(); ++i) { // musical signs as ASCII
    if (prompt.substr(i, 3) == "\u266f") {
      clean += '#';
      i += 2;
    } else if (prompt.substr(i, 3) == "\u266d") {
      clean += 'b';
      i += 2;
    } else if (prompt.substr(i, 3) == "\u2019") {
      i += 2;
    } else {
      clean += prompt[i];
    }
  }
  std::vector<token> result;
  token now;
  auto flush = [&] {
    if (!now.spelled.empty())
      result.push_back(std::exchange(now, {}));
  };
  for (char c : clean) {
    auto u = static_cast<unsigned char>(c);
    if (u >= 0x80 || std::isalnum(u) || c == '#') {
      now.spelled += c;
      now.word += u < 0x80 ? static_cast<char>(std::tolower(u)) : c;
    } else if (c != '\'') {
      flush();
      if ((c == ',' || c == '.' || c == ';' || c == ':' || c == '!' || c == '?' || c == '(' || c == ')' || c == '\n')
          && !result.empty())
        result.back().clause_ends = true;
    }
  }
  flush();
  return result;
}

size_t match(std::span<const token> tokens, size_t at, text words) {
  size_t best = 0;
  for (auto phrase : split(words, '|')) {
    size_t n = 0;
    bool good = true;
    for (auto word : split(phrase, ' ')) {
      good = good && at + n < tokens.size() && matches(tokens[at + n].word, word);
      ++n;
    }
    if (good)
      best = std::max(best, n);
  }
  return best;
}

} // namespace segue::fluidsynth
