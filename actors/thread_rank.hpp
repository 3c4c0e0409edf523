// How the kernel treats a thread when there are not enough processors for all. Each function is about the calling thread, needs
// no privilege, and does what the kernel lets it.
#pragma once

namespace segue {

/// For threads that live sound passes on its way, and that sleep between two steps of it. They ask for short time slices: who asks
/// for less is let in sooner (Linux 6.12 and later; before that nothing changes). Not for threads that may be busy for long, such
/// as those of the edge: they would be interrupted as often as they ask to.
void serve_live();

/// For threads that work for those who replay: who listens live goes before them.
void step_back();

} // namespace segue
