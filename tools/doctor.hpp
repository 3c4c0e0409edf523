// Checks what a server needs before it is started.
#pragma once

#include "config/settings.hpp"

namespace segue {

/// Prints a line for each check, or one JSON object, and returns the exit code: 0 when a server would start.
int run_doctor(const settings& with, bool json);

} // namespace segue
