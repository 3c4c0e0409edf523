// The server half of the command line.
#pragma once

namespace CLI {
class App;
}

namespace segue {

/// Registers `serve` and `doctor`; `exit_code` is set when one of them has run.
void add_server_commands(CLI::App& app, int& exit_code);

} // namespace segue
