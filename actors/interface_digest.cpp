#include "actors/interface_digest.hpp"

#include <caf/config.hpp>

namespace segue {

std::string interface_digest() { return SEGUE_INTERFACE "." + std::to_string(CAF_VERSION); }

} // namespace segue
