// What is said of a request that was sent to another node and never answered. It is an `ec::unknown_outcome` of its own kind: no
// store will tell what became of it, as one does of a write that is undecided.
#pragma once

#include "actors/errors.hpp"

namespace segue {

inline constexpr const char* may_have_been_done = "The answer was lost between two nodes: it may have been done, or not. Look before "
                                                  "you repeat it; what a producer appends may be repeated under the same number.";

inline caf::error lost_answer() { return caf::make_error(ec::unknown_outcome, std::string{may_have_been_done}); }

inline bool is_lost_answer(const caf::error& x) { return code_of(x) == ec::unknown_outcome && detail_of(x) == may_have_been_done; }

} // namespace segue
