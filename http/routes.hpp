// Every path of the edge.
#pragma once

#include "http/router.hpp"

namespace segue::http {

std::vector<route> routes();

} // namespace segue::http
