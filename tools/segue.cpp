// The one program: server and client.
#include "tools/client/commands.hpp"
#include "tools/serve.hpp"

#include <CLI/CLI.hpp>

/// What jemalloc reads. What a thread has given back, and sleeps since, goes back to the system all the same.
extern "C" {
[[gnu::used]] const char* malloc_conf = "background_thread:true";
}

int main(int argc, char** argv) {
  CLI::App app{"Segue: generated audio, from the model to the listener's ear", "segue"};
  int exit_code = 0;
  app.footer(segue::client::client_help_footer);
  app.require_subcommand(1);
  segue::add_server_commands(app, exit_code);
  segue::client::add_client_commands(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return segue::client::report_parse_error(app, e);
  }
  return exit_code;
}
