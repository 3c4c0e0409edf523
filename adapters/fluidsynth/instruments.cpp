#include "adapters/fluidsynth/instruments.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

namespace segue::fluidsynth {

namespace {

// The trims were measured: the EBU R128 loudness of the same melody and the same chords on every instrument, TimGM6mb.
// clang-format off
constexpr std::array table{
  // name, words, program, low, high, trim, trim of chords, roles, sustained, strummed
  instrument{"piano",            "piano*|grand piano|keys",                            0, 55, 88,  3,  4, "lc"},
  instrument{"honky-tonk piano", "honky*|saloon",                                      3, 55, 88,  2,  4, "cl"},
  instrument{"electric piano",   "rhodes|electric piano|e piano|wurlitzer",            4, 55, 86, -2, -2, "cl"},
  instrument{"dx piano",         "dx7|dx piano",                                       5, 55, 86,  3,  3, "cl"},
  instrument{"harpsichord",      "harpsichord*|cembalo",                               6, 55, 86,  3,  4, "cl"},
  instrument{"clavinet",         "clavinet|clavi",                                     7, 50, 80,  1,  0, "c"},
  instrument{"celesta",          "celesta",                                            8, 67, 96,  3,  3, "lc"},
  instrument{"glockenspiel",     "glockenspiel",                                       9, 72, 96,  4,  0, "l"},
  instrument{"music box",        "music box",                                        10, 64, 93, -1,  0, "lc"},
  instrument{"vibraphone",       "vibraphone*|vibes",                                11, 57, 86, -3, -3, "lc"},
  instrument{"marimba",          "marimba*",                                         12, 55, 86,  4,  3, "lc"},
  instrument{"xylophone",        "xylophone*",                                       13, 65, 94,  7,  0, "l"},
  instrument{"tubular bells",    "tubular|church bells|bells",                       14, 60, 79, -4,  0, "l"},
  instrument{"dulcimer",         "dulcimer|zither",                                  15, 55, 84,  5,  4, "lc"},
  instrument{"organ",            "organ|hammond",                                    16, 52, 84,  0, -3, "cpl", true},
  instrument{"rock organ",       "rock organ",                                       18, 52, 84,  2, -4, "cpl", true},
  instrument{"church organ",     "church organ|pipe organ",                          19, 52, 84,  1, -3, "cpl", true},
  instrument{"accordion",        "accordion*",                                       21, 57, 86, -1, -4, "lc", true},
  instrument{"harmonica",        "harmonica",                                        22, 60, 84, -2,  0, "l", true},
  instrument{"bandoneon",        "bandoneon",                                        23, 57, 86,  1, -2, "lc", true},
  instrument{"nylon guitar",     "nylon|classical guitar|spanish guitar",            24, 52, 80,  0,  1, "cl", false,
    true},
  instrument{"steel guitar",     "acoustic guitar|steel guitar|ukulele",             25, 52, 82,  4,  4, "cl", false,
    true},
  instrument{"jazz guitar",      "jazz guitar",                                      26, 52, 81,  0,  0, "lc", false,
    true},
  instrument{"clean guitar",     "electric guitar|clean guitar",                     27, 52, 84,  5,  6, "cl", false,
    true},
  instrument{"muted guitar",     "muted guitar|palm mute*",                          28, 48, 76,  4,  3, "c", false,
    true},
  instrument{"overdriven guitar","overdrive*",                                       29, 52, 86,  1,  0, "lc", true,
    true},
  instrument{"distorted guitar", "distort*|heavy guitar|electric guitars",           30, 52, 86, -3, -3, "cl", true,
    true},
  instrument{"upright bass",     "upright|double bass|acoustic bass",                32, 36, 60,  2,  0, "b"},
  instrument{"fingered bass",    "bass guitar|electric bass",                        33, 36, 60,  0,  0, "b"},
  instrument{"picked bass",      "picked bass",                                      34, 36, 60,  2,  0, "b"},
  instrument{"fretless bass",    "fretless",                                         35, 36, 62,  0,  0, "b"},
  instrument{"slap bass",        "slap bass|slap",                                   36, 36, 60,  0,  0, "b"},
  instrument{"synth bass",       "synth bass|808 bass",                              38, 36, 60,  1,  0, "b"},
  instrument{"deep synth bass",  "sub bass|deep bass",                               39, 36, 60,  1,  0, "b"},
  instrument{"violin",           "violin*",                                          40, 60, 91, -3,  0, "l", true},
  instrument{"viola",            "viola*",                                           41, 52, 81, -2, -2, "lp", true},
  instrument{"cello",            "cello*",                                           42, 43, 72, -3,  0, "lb", true},
  instrument{"contrabass",       "contrabass",                                       43, 36, 60,  0,  0, "b", true},
  instrument{"tremolo strings",  "tremolo",                                          44, 55, 84,  0, -4, "p", true},
  instrument{"pizzicato strings","pizzicato",                                        45, 52, 84,  3,  0, "cl"},
  instrument{"harp",             "harp*",                                            46, 52, 88, -4, -3, "cl"},
  instrument{"strings",          "strings|string section|orchestra*",                48, 55, 86, -5, -4, "pl", true},
  instrument{"slow strings",     "slow strings",                                     49, 55, 84,  2, -4, "p", true},
  instrument{"synth strings",    "synth strings",                                    50, 55, 84,  2, -1, "p", true},
  instrument{"choir",            "choir*|voices|vocal*|voice|singing",               52, 57, 81,  1, -1, "pl", true},
  instrument{"oohs",             "oohs|humming",                                     53, 57, 81,  0,  3, "pl", true},
  instrument{"trumpet",          "trumpet*",                                         56, 57, 82, -1,  0, "l", true},
  instrument{"trombone",         "trombone*",                                        57, 48, 72,  2,  0, "l", true},
  instrument{"tuba",             "tuba",                                             58, 34, 58,  4,  0, "b", true},
  instrument{"muted trumpet",    "muted trumpet",                                    59, 57, 81,  4,  0, "l", true},
  instrument{"french horn",      "horn|french horn*",                                60, 50, 76, -5, -5, "lp", true},
  instrument{"brass",            "brass|horns|horn section|fanfare*",                61, 52, 79,  4,  4, "lpc", true},
  instrument{"synth brass",      "synth brass",                                      62, 52, 79, -1, -4, "lpc", true},
  instrument{"soprano sax",      "soprano sax*",                                     64, 58, 84, -4,  0, "l", true},
  instrument{"alto sax",         "alto sax*",                                        65, 55, 79, -2,  0, "l", true},
  instrument{"tenor sax",        "tenor sax*|sax*",                                  66, 50, 76,  0,  0, "l", true},
  instrument{"baritone sax",     "baritone sax*",                                    67, 43, 67,  3,  0, "l", true},
  instrument{"oboe",             "oboe*",                                            68, 59, 86, -4,  0, "l", true},
  instrument{"english horn",     "english horn|cor anglais",                         69, 54, 79, -2,  0, "l", true},
  instrument{"bassoon",          "bassoon*",                                         70, 43, 69,  0,  0, "l", true},
  instrument{"clarinet",         "clarinet*",                                        71, 53, 86, -2,  0, "l", true},
  instrument{"piccolo",          "piccolo",                                          72, 74, 98, -3,  0, "l", true},
  instrument{"flute",            "flute*",                                           73, 62, 91, -3,  0, "l", true},
  instrument{"recorder",         "recorder",                                         74, 65, 91, -2,  0, "l", true},
  instrument{"pan flute",        "pan flute|panpipe*",                               75, 62, 88, -2,  0, "l", true},
  instrument{"shakuhachi",       "shakuhachi",                                       77, 60, 84, -6,  0, "l", true},
  instrument{"tin whistle",      "whistl*|tin whistle",                              79, 67, 91, -6,  0, "l", true},
  instrument{"square lead",      "square|8 bit|beeps",                               80, 60, 91, -4, -4, "lc", true},
  instrument{"saw lead",         "saw|synth lead|synth*",                            81, 55, 86, -2, -2, "lcp", true},
  instrument{"calliope",         "calliope",                                         82, 60, 86, -4,  0, "l", true},
  instrument{"charang",          "charang",                                          84, 55, 84, -3, -4, "lc", true},
  instrument{"fifths lead",      "fifths",                                           86, 55, 84,  0, -4, "lc", true},
  instrument{"fantasia",         "fantasia",                                         88, 55, 84,  0, -2, "pcl", true},
  instrument{"warm pad",         "warm pad|pad|pads",                                89, 52, 81,  7,  0, "p", true},
  instrument{"polysynth",        "polysynth",                                        90, 52, 84,  3, -1, "cp", true},
  instrument{"space voice",      "space voice",                                      91, 55, 84, -2,  0, "pl", true},
  instrument{"bowed glass",      "glass",                                            92, 55, 84,  4,  4, "p", true},
  instrument{"halo pad",         "halo",                                             94, 52, 81,  2,  1, "p", true},
  instrument{"sweep pad",        "sweep",                                            95, 52, 81,  6,  3, "p", true},
  instrument{"crystal",          "crystal*",                                         98, 64, 91, -3,  0, "lc"},
  instrument{"atmosphere",       "atmosphere",                                       99, 52, 84, -2, -1, "cl"},
  instrument{"sitar",            "sitar",                                          104, 52, 79,  2,  2, "lc"},
  instrument{"banjo",            "banjo",                                          105, 55, 81,  1,  0, "cl", false,
    true},
  instrument{"shamisen",         "shamisen",                                       106, 55, 81,  4,  0, "l"},
  instrument{"koto",             "koto",                                           107, 55, 84,  0,  2, "lc"},
  instrument{"kalimba",          "kalimba|mbira|thumb piano",                      108, 60, 88,  1,  0, "lc"},
  instrument{"bagpipe",          "bagpipe*",                                       109, 60, 79, -3,  0, "l", true},
  instrument{"fiddle",           "fiddle*",                                        110, 58, 88, -2,  0, "l", true},
  instrument{"steel drum",       "steel drum*|steelpan",                           114, 60, 86,  2,  1, "lc"},
};
// clang-format on

} // namespace

std::span<const instrument> instruments() { return table; }

const instrument& instrument_named(std::string_view name) {
  auto i = std::find_if(table.begin(), table.end(), [&](auto& x) { return x.name == name; });
  if (i == table.end())
    throw std::invalid_argument("no instrument called " + std::string(name));
  return *i;
}

} // namespace segue::fluidsynth
