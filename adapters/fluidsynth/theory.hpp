// Scales, keys, chords, voicings. Pitches are MIDI numbers (60 = middle C), pitch classes 0 (C) to 11 (B).
#pragma once

#include <bitset>
#include <string>
#include <string_view>
#include <vector>

namespace segue::fluidsynth {

enum class mode { major, minor, dorian, phrygian, lydian, mixolydian };

using pitch_set = std::bitset<12>; ///< a set of pitch classes

/// Remainder that is never negative.
constexpr int mod(int x, int n) { return (x % n + n) % n; }

/// Pitch classes of the tonic-0 scale of `m`.
pitch_set scale_of(mode m);

/// "major", "minor", "dorian"...
std::string_view name_of(mode m);

/// True when the third above the tonic is small.
constexpr bool is_minor(mode m) { return m == mode::minor || m == mode::dorian || m == mode::phrygian; }

/// A tonic and a mode.
struct key_signature {
  int tonic = 0;
  mode scale = mode::major;
  pitch_set pitches() const;
  std::string name() const; ///< e.g. "F# minor"
};

/// A chord in a key. `tones` are semitones above the root, ascending, starting with 0.
struct chord {
  int root = 0;
  int bass = 0; ///< pitch class of the lowest part
  std::vector<int> tones;
  std::string symbol; ///< as written in the style, e.g. "bVI" or "ii7"
  pitch_set pitches() const;
  bool has(int pitch) const { return pitches()[static_cast<size_t>(mod(pitch, 12))]; }
};

/// Reads a roman numeral: accidental, numeral (lower case = minor), quality, inversion: "V7", "bVII", "iih7", "I/3".
/// Numerals count from the major scale of the tonic whatever the mode. Throws `std::invalid_argument` for nonsense.
chord parse_chord(std::string_view roman, int tonic);

/// The scale to improvise in over `c`: the key, bent where the chord needs another note.
pitch_set scale_on(const chord& c, const key_signature& k);

/// The note of `set` nearest to `pitch`; of two equally near ones the upper when `up`.
int nearest(int pitch, const pitch_set& set, bool up = true);

/// `n` steps up (or down) in `set` from `pitch`, which need not be in it.
int step(int pitch, int n, const pitch_set& set);

/// `n` notes of the chord between `low` and `high`, ascending, moving as little as possible from `before`.
std::vector<int> voice(const chord& c, const std::vector<int>& before, int n, int low, int high);

} // namespace segue::fluidsynth
