#pragma once

#include "tools/client/console.hpp"

namespace segue::client {

/// Lists the nodes at the other ends of a server's links. The exit code.
int run_nodes(const connection_options& options);

} // namespace segue::client
