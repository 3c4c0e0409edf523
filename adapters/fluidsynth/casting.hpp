// Who plays what: instruments for the parts of a brief.
#pragma once

#include "adapters/fluidsynth/dice.hpp"
#include "adapters/fluidsynth/prompt.hpp"
#include "adapters/fluidsynth/words.hpp"

namespace segue::fluidsynth {

/// Fills the parts of `b`, whose genre is known: what the words ask for and forbid, otherwise what the style suggests.
void cast(brief& b, const std::vector<token>& words, dice& chance);

} // namespace segue::fluidsynth
