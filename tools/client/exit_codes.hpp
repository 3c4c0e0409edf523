#pragma once

namespace segue::client {

/// What the program tells the shell. The same table stands in `client_help_footer`.
namespace exit_with {
inline constexpr int ok = 0;
/// The generation failed, or what came could not be written or understood.
inline constexpr int failed = 1;
/// A wrong command line, or a request the server refused.
inline constexpr int refused = 2;
inline constexpr int unreachable = 3;
inline constexpr int not_found = 4;
/// Ctrl-C; 128 + SIGINT, as shells count.
inline constexpr int interrupted = 130;
} // namespace exit_with

} // namespace segue::client
