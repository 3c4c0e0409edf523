#include "tools/keys.hpp"

#include "actors/tenant/credentials.hpp"
#include "adapters/store_url.hpp"
#include "tools/client/exit_codes.hpp"
#include "tools/engines.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <filesystem>
#include <iostream>

namespace segue {

namespace {

/// The only one, unless one is named.
std::string tenant_of(const settings& with, const std::string& named) {
  return named.empty() && with.tenants.size() == 1 ? with.tenants.begin()->first : named;
}

} // namespace

int add_key(const settings& with, const key_wish& wish) {
  auto may = read_role(wish.role);
  if (!may || !is_user_id(wish.user))
    throw bad_setting{"a key needs --user, 1 to 64 letters, digits and . _ @ -, and --role reader, writer or admin"};
  auto tenant = tenant_of(with, wish.tenant);
  auto catalogue = open_catalogue_of(with, tenant);
  auto key = new_api_key(tenant);
  auto kept = describe_key(key, wish.user, *may, wish.note);
  catalogue->insert(kept);
  std::fprintf(stderr, "Key %s of user %s, role %s, for whoever serves from %s. It is shown this once:\n", kept.id.c_str(), wish.user.c_str(),
      wish.role.c_str(), std::filesystem::absolute(with.data).c_str());
  std::printf("%s\n", key.c_str());
  if (std::fflush(stdout) == 0)
    return 0;
  std::perror("segue: standard output");
  catalogue->erase_key(kept.id); // nobody could ever show it
  return client::exit_with::failed;
}

int list_keys(const settings& with, const std::string& tenant, bool json) {
  auto all = nlohmann::ordered_json::array();
  auto catalogue = open_catalogue_of(with, tenant);
  if (!json)
    std::printf("%-10s %-8s %-24s %-24s %s\n", "ID", "ROLE", "USER", "CREATED", "NOTE");
  for (const auto& x : catalogue->keys()) {
    all.push_back({{"id", x.id}, {"role", to_string(x.may)}, {"user", x.user_id}, {"created", format_time(x.created_at_ms)}, {"note", x.note}});
    if (!json)
      std::printf("%-10s %-8s %-24s %-24s %s\n", x.id.c_str(), to_string(x.may).c_str(), x.user_id.c_str(),
          format_time(x.created_at_ms).c_str(), x.note.c_str());
  }
  if (json)
    std::cout << nlohmann::ordered_json{{"keys", all}}.dump() << std::endl;
  return 0;
}

int remove_key(const settings& with, const std::string& tenant, const std::string& id) {
  if (!open_catalogue_of(with, tenant)->erase_key(id)) {
    std::fprintf(stderr, "segue: there is no key %s; `segue keys ls` shows them\n", id.c_str());
    return client::exit_with::not_found;
  }
  std::printf("Key %s is gone; a server believes it for at most 15 seconds more.\n", id.c_str());
  return 0;
}

int migrate(const settings& with) {
  for (const auto& [name, own] : with.tenants) {
    open_catalogue_of(with, name, true); // which does it
    std::printf("%s: %s is up to date\n", name.c_str(), redacted(own->catalogue).c_str());
  }
  return 0;
}

} // namespace segue
