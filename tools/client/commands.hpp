#pragma once

namespace CLI {
class App;
class ParseError;
} // namespace CLI

namespace segue::client {

/// The exit codes of the program, for the end of `segue --help`.
extern const char* const client_help_footer;

/// Adds generate, ls, listen, cancel, rm and transfers to the program; the one that is called runs while `app` parses
/// and leaves its exit code in `exit_code`. Wants `app.require_subcommand(1)`, else a prompt that is the name of a
/// command would be taken for one.
void add_client_commands(CLI::App& app, int& exit_code);

/// Prints help, or what is wrong with the command line; the exit code: 0 for help, 2 for a wrong command line.
int report_parse_error(const CLI::App& app, const CLI::ParseError& error);

} // namespace segue::client
