// A style is data: how fast, which chords, who plays and in what patterns. README.md shows how to add one.
#pragma once

#include "adapters/fluidsynth/theory.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace segue::fluidsynth {

using text = std::string_view;
using texts = std::vector<text>;

/// How the second voice behaves.
enum class second_voice { none, guide_tones, thirds, answers };

/// One style. Lists of instruments are names separated by '|'. All patterns have one character per sixteenth and one or
/// more bars; '-' holds, '.' rests.
/// - In `comp` x/X/o hit the chord (plain, accent, soft), digits pick its notes from below, b and f are its root and
///   fifth in the bass register; a leading '~' lets notes ring until the chord changes.
/// - In `bass` r 3 5 6 7 8 are tones of the chord, a approaches the next root, o is a ghost note, w walks.
/// - In `drums` a row is the name of an instrument of the kit and its pattern: x/X/o as above, ? sometimes.
struct style {
  text name{};
  text words{};           ///< what it is called in a prompt: phrases separated by '|', '*' ends a prefix
  int slow = 80, fast = 120; ///< quarter notes per minute
  int steps = 16;         ///< sixteenths in a bar
  int pulse = 4;          ///< sixteenths in a beat; 6 in compound time
  int swing8 = 0;         ///< per cent of a full triplet by which every second eighth is late
  int swing16 = 0;        ///< the same for sixteenths
  int minor = 50;         ///< chance of a minor key, per cent
  mode minor_scale = mode::minor;
  mode major_scale = mode::major;
  texts major_a{}, major_b{}; ///< progressions: bars separated by '|', chords that share a bar by spaces
  texts minor_a{}, minor_b{};
  text major_end = "V7", minor_end = "V7"; ///< the bar before the last chord
  text major_last = "I", minor_last = "i"; ///< the last chord
  text lead{}, comp{}, pad{}, bass{};
  int kit = 0;            ///< drum kit program
  texts comp_light{}, comp_full{};
  texts bass_light{}, bass_full{};
  texts drums_light{}, drums_full{};
  text fills{};            ///< family of fills in drums.cpp: rock, swing, electronic, latin, soft or empty
  text melody{};           ///< family of rhythms in melody.cpp
  second_voice second = second_voice::guide_tones;
  int phrase = 8;         ///< bars in a section
  bool ritard = false;    ///< slows down before the last chord
  int loose = 8;          ///< humanising: milliseconds of scatter
  int reverb = 40;        ///< room, 0 to 100
  int level = 0;          ///< dB to add to the whole, so that all styles are equally loud
};

const std::vector<style>& acoustic_styles();
const std::vector<style>& band_styles();
const std::vector<style>& electronic_styles();

/// All of them, in a fixed order.
std::span<const style* const> styles();

/// By name; null when there is none.
const style* style_named(text name);

/// Splits at `by`, trims blanks, drops empty pieces.
texts split(text x, char by);

} // namespace segue::fluidsynth
