// Which messages this build speaks: nodes whose builds differ in that must not talk.
#pragma once

#include <string>

namespace segue {

/// The same for builds from the same text of the messages and interfaces, and with the same version of CAF.
std::string interface_digest();

} // namespace segue
