#include "tools/client/commands.hpp"

#include <algorithm>
#include <charconv>
#include <CLI/CLI.hpp>
#include <memory>

#include "tools/client/exit_codes.hpp"
#include "tools/client/generate.hpp"
#include "tools/client/listen.hpp"
#include "tools/client/manage.hpp"
#include "tools/client/nodes.hpp"
#include "tools/client/transfers.hpp"

namespace segue::client {

const char* const client_help_footer = "Exit codes:\n"
                                       "  0    ok\n"
                                       "  1    failed, or the generation failed\n"
                                       "  2    wrong usage, or the server refused the request\n"
                                       "  3    the server cannot be reached\n"
                                       "  4    no such piece, transfer or key\n"
                                       "  130  interrupted (generate cancels its piece first)";

namespace {

void add_connection(CLI::App& command, connection_options& options) {
  command.add_option("--server", options.server, "Where the server is")
      ->envname("SEGUE_SERVER")
      ->type_name("URL")
      ->capture_default_str();
  command
      .add_option("--token", options.token,
          "API key or token, if the server asks for one. Better set SEGUE_TOKEN: others may see a command line")
      ->envname("SEGUE_TOKEN")
      ->type_name("TEXT");
  command.add_option("--ca", options.ca, "A certificate authority of your own, as PEM: trust it, and not the system's")
      ->envname("SEGUE_CA")
      ->type_name("FILE");
  command.add_flag("--json", options.json, "Print one JSON object and no progress");
}

/// Looked at only when the command is called: what stands in the environment is given to every command. The token is
/// not shown, not even a wrong one.
void check_connection(connection_options& options) {
  const auto server = normalise_server(options.server);
  if (!server)
    throw CLI::ValidationError("--server", "'" + options.server + "' is not an http(s) URL");
  options.server = *server;
  const auto belongs = [](char c) { return c > ' ' && c <= '~'; };
  if (!std::all_of(options.token.begin(), options.token.end(), belongs))
    throw CLI::ValidationError("--token", "no API key or token has blanks, line breaks or letters beyond ASCII");
  if (options.ca.empty())
    return;
  if (const auto why = CLI::ExistingFile(options.ca); !why.empty())
    throw CLI::ValidationError("--ca", why);
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
    check_connection(options->connection);
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
  command->callback([options, &exit_code] {
    check_connection(options->connection);
    exit_code = run_ls(*options);
  });
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
    check_connection(options->connection);
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
  command->callback([options, run, &exit_code] {
    check_connection(options->connection);
    exit_code = run(*options);
  });
}

void add_transfers_ls(CLI::App& transfers, int& exit_code) {
  auto* command = transfers.add_subcommand("ls", "List them in the order of their ids");
  auto options = std::make_shared<transfers_ls_options>();
  command->add_flag("--dead", options->dead, "Only dead letters");
  command->add_option("--limit", options->limit, "At most so many")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str()
      ->type_name("N");
  add_connection(*command, options->connection);
  command->callback([options, &exit_code] {
    check_connection(options->connection);
    exit_code = run_transfers_ls(*options);
  });
}

std::uint64_t parse_transfer_id(const std::string& text) {
  std::uint64_t id = 0;
  const char* const end = text.data() + text.size();
  if (const auto [rest, problem] = std::from_chars(text.data(), end, id); problem != std::errc{} || rest != end)
    throw CLI::ValidationError("id", "'" + text + "' is not the number of a transfer, see: segue transfers ls");
  return id;
}

/// `all` says what every one of them is; null: they have to be named.
void add_for_transfers(CLI::App& transfers, const char* name, const char* help, const char* all,
    int (*run)(const transfers_options&), int& exit_code) {
  auto* command = transfers.add_subcommand(name, help);
  auto options = std::make_shared<transfers_options>();
  auto* named = command
      ->add_option_function<std::vector<std::string>>(
          "id",
          [options](const std::vector<std::string>& texts) {
            for (const auto& text : texts)
              options->ids.push_back(parse_transfer_id(text));
          },
          "Which")
      ->type_name("ID");
  if (all)
    command->add_flag("--all", options->all, all)->excludes(named);
  add_connection(*command, options->connection);
  command->callback([options, all, run, &exit_code] {
    if (options->ids.empty() && !options->all)
      throw CLI::RequiredError(all ? "id, or --all," : "id");
    check_connection(options->connection);
    exit_code = run(*options);
  });
}

void add_transfers(CLI::App& app, int& exit_code) {
  auto* transfers =
      app.add_subcommand("transfers", "Work between the stores: see it, and decide about what has failed");
  transfers->require_subcommand(1);
  add_transfers_ls(*transfers, exit_code);
  add_for_transfers(
      *transfers, "retry", "Try them again, at once and with all their attempts", "Every dead letter", run_transfers_retry, exit_code);
  add_for_transfers(*transfers, "drop", "Forget them: what they were to do is not done", nullptr, run_transfers_drop, exit_code);
  transfers->footer(std::string(transfers_lesson) + "\n\n" + client_help_footer);
}

void add_nodes(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("nodes", "List the nodes that have joined a server, or that it has joined");
  auto options = std::make_shared<connection_options>();
  add_connection(*command, *options);
  command->callback([options, &exit_code] {
    check_connection(*options);
    exit_code = run_nodes(*options);
  });
}

} // namespace

void add_client_commands(CLI::App& app, int& exit_code) {
  add_generate(app, exit_code);
  add_ls(app, exit_code);
  add_listen(app, exit_code);
  add_for_one_piece(app, "cancel", "Stop making a piece; what was made is kept", run_cancel, exit_code);
  add_for_one_piece(app, "rm", "Remove a piece and its sound for good", run_rm, exit_code);
  add_transfers(app, exit_code);
  add_nodes(app, exit_code);
}

int report_parse_error(const CLI::App& app, const CLI::ParseError& error) {
  auto unknown = app.remaining(true);
  if (dynamic_cast<const CLI::RequiredError*>(&error) && !unknown.empty()) // why there is no command: it was not understood
    return report_parse_error(app, CLI::ParseError{"There is no command or option " + unknown.front(), CLI::ExitCodes::ExtrasError});
  return app.exit(error) == 0 ? exit_with::ok : exit_with::refused;
}

} // namespace segue::client
