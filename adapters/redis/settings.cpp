#include "adapters/redis/settings.hpp"

#include "adapters/ports.hpp"

namespace segue::redis {

namespace {

using settings = std::map<std::string, std::string>;

constexpr const char* everysec_loses =
    "put ?durability=everysec into the URL if a crash of the server may lose the last second of what it acknowledged";

/// Nothing: it does not let us look.
std::optional<settings> read_config(connection& server) {
  const words command{"CONFIG", "GET", "appendonly", "appendfsync", "no-appendfsync-on-rewrite", "maxmemory-policy"};
  auto answers = server.run_all({&command, 1});
  const auto& answer = answers.front();
  if (answer.is_error() && (answer.text().starts_with("NOPERM") || answer.text().starts_with("ERR unknown command")))
    return std::nullopt;
  expect_good(answer, server.where().name());
  settings found;
  for (size_t i = 0; i + 1 < answer.size(); i += 2)
    found[std::string{answer[i].text()}] = answer[i + 1].text();
  return found;
}

/// One value of a section of `INFO`.
std::string read_info(connection& server, const std::string& section, const std::string& name) {
  auto answer = server.run({"INFO", section});
  auto text = "\n" + std::string{answer.text()};
  auto begin = text.find("\n" + name + ":");
  if (begin == std::string::npos)
    return {};
  begin += name.size() + 2;
  return text.substr(begin, text.find_first_of("\r\n", begin) - begin);
}

class checker {
public:
  explicit checker(connection& server) : name_(server.where().name()) {}

  void expect(const std::string& name, const std::string& found, const std::string& wanted, const std::string& why,
      const std::string& otherwise = {}) const {
    if (found != wanted)
      refuse(name + " is \"" + found + "\": " + why + ". Set it: CONFIG SET " + name + " " + wanted
          + ", and in its redis.conf" + (otherwise.empty() ? "" : "; or " + otherwise));
  }

  [[noreturn]] void refuse(const std::string& what) const {
    throw adapter_error{ec::invalid_argument, name_ + ": " + what};
  }

private:
  std::string name_;
};

void check_hidden(connection& server, durability wanted, const checker& check) {
  check.expect("appendonly", read_info(server, "persistence", "aof_enabled") == "1" ? "yes" : "no", "yes",
      "nothing would survive a restart of the server");
  check.expect("maxmemory-policy", read_info(server, "memory", "maxmemory_policy"), "noeviction",
      "the server would throw acknowledged sound away");
  if (wanted == durability::always)
    check.refuse(std::string{"its user may not run CONFIG GET, so that nobody knows whether appendfsync is \"always\". "
        "Allow it: ACL SETUSER … +config|get; or put ?durability=trusted into the URL if you know that it is; or "}
        + everysec_loses);
}

} // namespace

durability durability_of(const std::string& name) {
  if (name == "always")
    return durability::always;
  if (name == "everysec")
    return durability::everysec;
  if (name == "trusted")
    return durability::trusted;
  throw adapter_error{ec::invalid_argument,
      "redis: there is no durability \"" + name + "\"; there are always, everysec and trusted"};
}

void check_settings(connection& server, durability wanted) {
  checker check{server};
  auto found = read_config(server);
  if (!found)
    return check_hidden(server, wanted, check);
  check.expect("appendonly", (*found)["appendonly"], "yes", "nothing would survive a restart of the server");
  check.expect("maxmemory-policy", (*found)["maxmemory-policy"], "noeviction",
      "the server would throw acknowledged sound away");
  if (wanted == durability::everysec && (*found)["appendfsync"] != "no")
    return;
  check.expect("appendfsync", (*found)["appendfsync"], wanted == durability::everysec ? "everysec" : "always",
      "a crash of the server would lose what it acknowledged last", wanted == durability::everysec ? "" : everysec_loses);
  check.expect("no-appendfsync-on-rewrite", (*found)["no-appendfsync-on-rewrite"], "no",
      "nothing would be synced while the server rewrites its file", everysec_loses);
}

} // namespace segue::redis
