#include "tools/client/commands.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "tools/client/exit_codes.hpp"
#include "tools/client/generate.hpp"
#include "tools/client/listen.hpp"
#include "tools/client/manage.hpp"

namespace segue::client {

const char* const client_help_footer = "Exit codes:\n"
                                       "  0    ok\n"
                                       "  1    failed, or the generation failed\n"
                                       "  2    wrong usage, or the server refused the request\n"
                                       "  3    the server cannot be reached\n"
                                       "  4    no such piece\n"
                                       "  130  interrupted (generate cancels its piece first)";

namespace {

void add_connection(CLI::App& command, connection_options& options) {
  command
      .add_option_function<std::string>(
          "--server",
          [&options](const std::string& address) {
            const auto server = normalise_server(address);
            if (!server)
              throw CLI::ValidationError("--server", "'" + address + "' is not an http(s) URL");
            options.server = *server;
          },
          "Where the server is")
      ->envname("SEGUE_SERVER")
      ->type_name("URL")
      ->default_str(options.server);
  command.add_flag("--json", options.json, "Print one JSON object and no progress");
}

/// Sound and JSON cannot both have standard output.
void refuse_json_with_sound(const connection_options& connection, const std::string& out, bool stdout_is_default) {
  if (connection.json && (out == "-" || (out.empty() && stdout_is_default))) {
    throw CLI::ValidationError("--json", "needs the sound to go to a file (-o FILE), for standard output is taken");
  }
}

void add_generate(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("generate", "Order a piece of music and follow it to its end; Ctrl-C cancels it");
  auto options = std::make_shared<generate_options>();
  command->add_option("prompt", options->prompt, "What it shall be like, as one word of the shell (in quotes)")
      ->required()
      ->type_name("PROMPT");
  command->add_option("-o,--output", options->out, "Write the MP3 here while it is made; - is standard output")
      ->type_name("FILE");
  command
      ->add_option_function<std::string>(
          "--duration",
          [options](const std::string& text) {
            options->duration_s = parse_duration(text);
            if (!options->duration_s) {
              throw CLI::ValidationError("--duration", "'" + text + "' is not a time like 45, 30s or 1m30s");
            }
          },
          "Its length, like 45, 30s or 1m30s")
      ->type_name("TIME");
  command->add_option("--seed", options->seed, "The same seed and prompt make the same piece")->type_name("N");
  command->add_option("--pace", options->pace, "As fast as possible, or as fast as it plays")
      ->check(CLI::IsMember({"fast", "realtime"}));
  command->add_option("--user", options->user, "On whose behalf")->type_name("ID");
  add_connection(*command, options->connection);
  command->callback([options, &exit_code] {
    refuse_json_with_sound(options->connection, options->out, false);
    exit_code = run_generate(*options);
  });
}

void add_ls(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("ls", "List pieces, newest first");
  auto options = std::make_shared<ls_options>();
  command->add_option("--user", options->user, "Only this user's")->type_name("ID");
  command->add_option("--limit", options->limit, "At most so many")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str()
      ->type_name("N");
  add_connection(*command, options->connection);
  command->callback([options, &exit_code] { exit_code = run_ls(*options); });
}

void add_listen(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("listen", "Bring the sound of a piece, also of one that is still being made");
  auto options = std::make_shared<listen_options>();
  command->add_option("id", options->id, "Which piece")->required()->type_name("ID");
  auto* out = command->add_option("-o,--output", options->out, "Write the MP3 here; - (or a pipe) is standard output")
                  ->type_name("FILE");
  command->add_flag("-c,--continue", options->carry_on, "Go on where FILE ends instead of writing it anew")->needs(out);
  add_connection(*command, options->connection);
  command->callback([options, &exit_code] {
    refuse_json_with_sound(options->connection, options->out, true);
    exit_code = run_listen(*options);
  });
}

void add_for_one_piece(
    CLI::App& app, const char* name, const char* help, int (*run)(const piece_options&), int& exit_code) {
  auto* command = app.add_subcommand(name, help);
  auto options = std::make_shared<piece_options>();
  command->add_option("id", options->id, "Which piece")->required()->type_name("ID");
  add_connection(*command, options->connection);
  command->callback([options, run, &exit_code] { exit_code = run(*options); });
}

} // namespace

void add_client_commands(CLI::App& app, int& exit_code) {
  add_generate(app, exit_code);
  add_ls(app, exit_code);
  add_listen(app, exit_code);
  add_for_one_piece(app, "cancel", "Stop making a piece; what was made is kept", run_cancel, exit_code);
  add_for_one_piece(app, "rm", "Remove a piece and its sound for good", run_rm, exit_code);
}

int report_parse_error(const CLI::App& app, const CLI::ParseError& error) {
  return app.exit(error) == 0 ? exit_with::ok : exit_with::refused;
}

} // namespace segue::client
