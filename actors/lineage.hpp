// Forks: which stream holds which bytes of another one. Nothing is copied when a fork is made.
#pragma once

#include "actors/messages/log.hpp"

namespace segue {

/// Who holds the bytes of a stream, in order: its ancestors, and itself until its tail.
std::vector<ancestor> holders_of(const stream_row& row);

/// The lineage of a fork of `parent` that begins at `at`, which must not be past the tail.
std::vector<ancestor> lineage_of_fork(const stream_row& parent, position at);

} // namespace segue
