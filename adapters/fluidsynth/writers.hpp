// The writers: each turns a sketch into the notes of one kind of part. Pure: the same sketch gives the same notes.
#pragma once

#include "adapters/fluidsynth/dice.hpp"
#include "adapters/fluidsynth/score.hpp"

namespace segue::fluidsynth {

/// Melody for every section that has a lead or a soloist: a theme per letter, varied from pass to pass.
notes write_melody(const sketch& s);

/// Guide tones, thirds or answers under and between the notes of `melody`.
notes write_second_voice(const sketch& s, const notes& melody);

/// Chords in the patterns of the style, voices moving as little as possible.
notes write_comp(const sketch& s);

/// Long chords.
notes write_pad(const sketch& s);

/// The bass line.
notes write_bass(const sketch& s);

/// Drum patterns, with fills where sections end.
notes write_drums(const sketch& s);

/// The symbol of a pattern at a step of a bar; patterns of several bars take turns, other meters wrap around.
char symbol_at(text pattern, int bar, int step, int pattern_steps);

/// How many steps the symbol at this place is held: itself and the '-' that follow.
int hold_at(text pattern, int bar, int step, int pattern_steps, int bar_steps);

/// The lowest and the highest comfortable note of a melody instrument in this piece.
struct melody_range {
  int low = 60, high = 84, middle = 72;
};
melody_range range_of(const instrument& x, const brief& b);

} // namespace segue::fluidsynth
