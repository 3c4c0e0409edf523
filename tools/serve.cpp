#include "tools/serve.hpp"

#include "actors/log.hpp"
#include "config/settings.hpp"
#include "tools/compose.hpp"
#include "tools/data_folder.hpp"
#include "tools/doctor.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <deque>
#include <memory>

#include <sys/resource.h>

namespace segue {

namespace {

constexpr int failed = 1;
constexpr int misused = 2;

/// What was given on the command line, in rows of settings.
struct given_settings {
  std::string file;
  std::deque<std::string> values; ///< one for each row; addresses stay
  std::vector<CLI::Option*> options;

  settings load() const {
    std::vector<std::pair<std::string, std::string>> given;
    for (size_t i = 0; i < options.size(); ++i)
      if (options[i]->count() > 0)
        given.emplace_back(setting_rows()[i].name, values[i]);
    return load_settings(file, given);
  }
};

std::shared_ptr<given_settings> add_settings(CLI::App& command) {
  auto given = std::make_shared<given_settings>();
  command.add_option("--config", given->file, "JSON file of settings, named like these flags; flags go before it")
      ->type_name("FILE");
  for (const auto& row : setting_rows()) {
    auto flag = std::string{"--"} + row.name;
    auto help = std::string{row.help} + " [" + row.standard + "]";
    auto& value = given->values.emplace_back();
    given->options.push_back(
        row.flag ? command.add_flag(flag, value, help) : command.add_option(flag, value, help)->type_name(""));
  }
  return given;
}

log::level level_of(const std::string& name) {
  return name == "debug" ? log::level::debug
      : name == "warning" ? log::level::warning
      : name == "error"   ? log::level::error
                          : log::level::info;
}

/// Runs `what` with the settings, and says what is wrong with them.
template <class F>
int with_settings(const given_settings& given, F what) {
  try {
    return what(given.load());
  } catch (const bad_setting& e) {
    std::fprintf(stderr, "segue: %s\n", e.what.c_str());
    return misused;
  } catch (const bad_folder& e) {
    std::fprintf(stderr, "segue: %s\n", e.what.c_str());
  } catch (const cannot_start& e) {
    std::fprintf(stderr, "segue: %s\n", e.what.c_str());
  }
  return failed;
}

/// Each connection needs a descriptor, and the usual soft limit is for programs that have a few of them.
void raise_descriptor_limit(const settings& with) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  constexpr rlim_t own = 200; // stores, logs, signals
  if (limit.rlim_cur < with.connections + own)
    log::warning("server", "few_descriptors", "this process may open " + std::to_string(limit.rlim_cur) + " files, which is not "
        "enough for --connections " + std::to_string(with.connections) + "; raise the hard limit (ulimit -Hn)");
}

int serve(const settings& with) {
  // Signals are waited for, in every thread the same: none may be interrupted by one.
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  log::configure({level_of(with.log_level), with.log_json});
  raise_descriptor_limit(with);
  run_server(
      with,
      [](const std::string& address) {
        std::printf("Segue is listening on %s\n", address.c_str());
        std::fflush(stdout);
      },
      [&] {
        int signal = 0;
        sigwait(&ending, &signal);
      });
  return 0;
}

} // namespace

void add_server_commands(CLI::App& app, int& exit_code) {
  auto* serve_command = app.add_subcommand("serve", "run the server");
  auto serve_settings = add_settings(*serve_command);
  serve_command->callback([serve_settings, &exit_code] { exit_code = with_settings(*serve_settings, serve); });

  auto* doctor_command = app.add_subcommand("doctor", "check what a server with these settings needs");
  auto doctor_settings = add_settings(*doctor_command);
  auto json = std::make_shared<bool>(false);
  doctor_command->add_flag("--json", *json, "one JSON object instead of lines");
  doctor_command->callback([doctor_settings, json, &exit_code] {
    exit_code = with_settings(*doctor_settings, [&](const settings& with) { return run_doctor(with, *json); });
  });
}

} // namespace segue
