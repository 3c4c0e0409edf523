#include "tools/serve.hpp"

#include "actors/ids.hpp"
#include "actors/log.hpp"
#include "config/settings.hpp"
#include "http/routes.hpp"
#include "tools/compose.hpp"
#include "tools/data_folder.hpp"
#include "tools/doctor.hpp"
#include "tools/keys.hpp"
#include "tools/work.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

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
    auto with = given.load();
    log::configure({level_of(with.log_level), with.log_json});
    return what(with);
  } catch (const bad_setting& e) {
    std::fprintf(stderr, "segue: %s\n", e.what.c_str());
    return misused;
  } catch (const bad_folder& e) {
    std::fprintf(stderr, "segue: %s\n", e.what.c_str());
  } catch (const cannot_start& e) {
    std::fprintf(stderr, "segue: %s\n", e.what.c_str());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "segue: %s\n", e.what());
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
  rlim_t each = with.tls_certificate.empty() ? 1 : 4; // a tunnel has two more ends, and one twice
  if (limit.rlim_cur < with.connections * each + own)
    log::warning("server", "few_descriptors", "this process may open " + std::to_string(limit.rlim_cur) + " files, which is not "
        "enough for --connections " + std::to_string(with.connections) + (each > 1 ? ", each of which needs up to "
        + std::to_string(each) + " with TLS" : "") + "; raise the hard limit (ulimit -Hn)");
}

/// Until SIGTERM or SIGINT.
class ending_signals {
public:
  /// They are waited for, in every thread the same: none may be interrupted by one. Before any thread begins.
  ending_signals() {
    sigemptyset(&all_);
    sigaddset(&all_, SIGTERM);
    sigaddset(&all_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &all_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN); // a file that may not grow is an error like any other
  }

  void wait() const {
    int signal = 0;
    sigwait(&all_, &signal);
  }

private:
  sigset_t all_;
};

int serve(const settings& with) {
  ending_signals ending;
  raise_descriptor_limit(with);
  bool ours = run_server(
      with,
      [](const std::string& address) {
        std::printf("Segue is listening on %s\n", address.c_str());
        std::fflush(stdout);
      },
      [&] { ending.wait(); });
  return ours ? 0 : failed;
}

int work(const settings& with) {
  ending_signals ending;
  run_worker(
      with,
      [] {
        std::printf("Segue is working\n");
        std::fflush(stdout);
      },
      [&] { ending.wait(); });
  return 0;
}

void add_keys(CLI::App& app, int& exit_code) {
  auto* keys = app.add_subcommand("keys", "API keys of a tenant, kept as hashes in its catalogue");
  keys->require_subcommand(1);
  auto wish = std::make_shared<key_wish>();
  auto* add = keys->add_subcommand("add", "make a key and show it this once");
  auto settings_of_add = add_settings(*add);
  add->add_option("--tenant", wish->tenant, "whose; may be left out when there is one");
  add->add_option("--user", wish->user, "the user id of whoever shows it")->required()->check([](const std::string& x) {
    return is_user_id(x) ? std::string{} : "\"" + x + "\" is no user id; it must be 1 to 64 letters, digits and . _ @ -";
  });
  add->add_option("--role", wish->role, "reader, writer or admin")->required()->check(CLI::IsMember({"reader", "writer", "admin"}));
  add->add_option("--note", wish->note, "what it is for");
  add->callback([=, &exit_code] {
    exit_code = with_settings(*settings_of_add, [&](const settings& with) { return add_key(with, *wish); });
  });
  auto tenant = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  auto* ls = keys->add_subcommand("ls", "list them, without what is secret");
  auto settings_of_ls = add_settings(*ls);
  ls->add_option("--tenant", *tenant, "whose");
  ls->add_flag("--json", *json, "one JSON object instead of lines");
  ls->callback([=, &exit_code] {
    exit_code = with_settings(*settings_of_ls, [&](const settings& with) { return list_keys(with, *tenant, *json); });
  });
  auto id = std::make_shared<std::string>();
  auto* rm = keys->add_subcommand("rm", "remove one");
  auto settings_of_rm = add_settings(*rm);
  rm->add_option("id", *id, "which")->required();
  rm->add_option("--tenant", *tenant, "whose");
  rm->callback([=, &exit_code] {
    exit_code = with_settings(*settings_of_rm, [&](const settings& with) { return remove_key(with, *tenant, *id); });
  });
}

int print_routes(bool json) {
  auto all = nlohmann::ordered_json::array();
  for (const auto& x : http::routes()) {
    all.push_back({{"method", x.method}, {"pattern", x.pattern}, {"role", to_string(x.needs)}, {"purpose", x.purpose}});
    if (!json)
      std::printf("%-8s %-44s %-7s %s\n", x.method.c_str(), x.pattern.c_str(), to_string(x.needs).c_str(), x.purpose.c_str());
  }
  if (json)
    std::printf("%s\n", all.dump().c_str());
  return 0;
}

} // namespace

void add_server_commands(CLI::App& app, int& exit_code) {
  auto* serve_command = app.add_subcommand("serve", "run the server");
  auto serve_settings = add_settings(*serve_command);
  serve_command->callback([serve_settings, &exit_code] { exit_code = with_settings(*serve_settings, serve); });

  auto* work_command = app.add_subcommand("work", "move pieces between networked stores, beside a server with --transfers elsewhere");
  auto work_settings = add_settings(*work_command);
  work_command->callback([work_settings, &exit_code] { exit_code = with_settings(*work_settings, work); });

  auto* migrate_command = app.add_subcommand("migrate", "bring the catalogues up to date; a server does so at its start as well, and no other command does");
  auto migrate_settings = add_settings(*migrate_command);
  migrate_command->callback([migrate_settings, &exit_code] { exit_code = with_settings(*migrate_settings, migrate); });

  add_keys(app, exit_code);

  auto* routes_command = app.add_subcommand("routes", "what the server answers, and who may ask for it");
  auto routes_json = std::make_shared<bool>(false);
  routes_command->add_flag("--json", *routes_json, "one JSON array instead of lines");
  routes_command->callback([routes_json, &exit_code] { exit_code = print_routes(*routes_json); });

  auto* doctor_command = app.add_subcommand("doctor", "check what a server with these settings needs, without changing it");
  auto doctor_settings = add_settings(*doctor_command);
  auto json = std::make_shared<bool>(false);
  doctor_command->add_flag("--json", *json, "one JSON object instead of lines");
  doctor_command->callback([doctor_settings, json, &exit_code] {
    exit_code = with_settings(*doctor_settings, [&](const settings& with) { return run_doctor(with, *json); });
  });
}

} // namespace segue
