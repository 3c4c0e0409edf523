// From files and command lines to settings.
#include "config/settings.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

namespace segue {

namespace {

/// What `${env:NAME}` or `${file:PATH}` stands for; of a file without the end of its last line.
std::string kept_elsewhere(const std::string& name, const std::string& where) {
  auto colon = where.find(':');
  auto kind = where.substr(0, colon);
  auto what = colon == std::string::npos ? std::string{} : where.substr(colon + 1);
  if (kind == "env") {
    const auto* value = std::getenv(what.c_str());
    if (!value)
      throw bad_setting{name + ": there is no environment variable " + what};
    return value;
  }
  if (kind != "file")
    throw bad_setting{name + ": ${" + where + "} is not possible; there are ${env:NAME} and ${file:PATH}"};
  std::ifstream in{what, std::ios::binary};
  std::ostringstream all;
  if (!in || !(all << in.rdbuf()))
    throw bad_setting{name + ": the file " + what + " cannot be read, or is empty"};
  auto text = all.str();
  while (text.ends_with('\n') || text.ends_with('\r'))
    text.pop_back();
  return text;
}

std::string expand(const std::string& name, const std::string& text) {
  std::string out;
  for (size_t at = 0;;) {
    auto begin = text.find("${", at);
    auto end = text.find('}', begin);
    if (begin == std::string::npos || end == std::string::npos)
      return out + text.substr(at);
    out += text.substr(at, begin - at) + kept_elsewhere(name, text.substr(begin + 2, end - begin - 2));
    at = end + 1;
  }
}

const setting_row& row_of(const std::string& name) {
  const auto& rows = setting_rows();
  auto row = std::find_if(rows.begin(), rows.end(), [&](const setting_row& x) { return x.name == name; });
  if (row == rows.end())
    throw bad_setting{"there is no setting \"" + name + "\"; `segue serve --help` lists them"};
  return *row;
}

/// What is refused is shown as it was written, not what it stands for: that may be a secret.
void set(settings& into, const std::string& name, const std::string& text) {
  const auto& row = row_of(name);
  auto value = expand(name, text);
  try {
    row.set(into, name, value);
  } catch (bad_setting& e) {
    auto at = value.empty() || value == text ? std::string::npos : e.what.find(value);
    if (at != std::string::npos)
      e.what.replace(at, value.size(), text);
    throw;
  }
}

/// Of two members with one name one would be passed over in silence. A callback of the parser.
nlohmann::json::parser_callback_t refuse_twice() {
  using event = nlohmann::json::parse_event_t;
  std::vector<std::set<std::string>> names; ///< seen so far in each object that is open
  std::vector<std::string> path;            ///< to the member that is read
  return [names, path](int, event what, nlohmann::json& parsed) mutable {
    if (what == event::object_start) {
      names.emplace_back();
      path.emplace_back();
    } else if (what == event::object_end) {
      names.pop_back();
      path.pop_back();
    } else if (what == event::key) {
      path.back() = parsed.get<std::string>();
      bool of_tenants = path.size() > 1 && path[0] == "tenants";
      auto where = !of_tenants ? "" : path.size() == 2 ? "tenant " : "tenant " + path[1] + ": ";
      if (!names.back().insert(path.back()).second)
        throw bad_setting{where + path.back() + " is there twice"};
    }
    return true;
  };
}

/// Says where it is, whatever is wrong there.
template <class F>
void at(const std::string& where, F what) {
  try {
    what();
  } catch (const bad_setting& e) {
    throw bad_setting{where + ": " + e.what};
  }
}

nlohmann::json read_file(const std::string& file) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored))
    throw bad_setting{"the configuration file " + file + " is a folder; it must be a JSON file of settings"};
  std::ifstream in{file};
  if (!in)
    throw bad_setting{"the configuration file " + file + " cannot be read"};
  nlohmann::json parsed;
  try {
    at(file, [&] { parsed = nlohmann::json::parse(in, refuse_twice(), true, true); });
  } catch (const nlohmann::json::exception& e) {
    std::string what = e.what();
    throw bad_setting{file + ": " + what.substr(0, what.find("; last read"))}; // which may be a secret
  }
  if (!parsed.is_object())
    throw bad_setting{file + ": it must be a JSON object of settings"};
  return parsed;
}

void set_member(settings& into, const std::string& name, const nlohmann::json& value) {
  row_of(name);
  if (value.is_structured() || value.is_null())
    throw bad_setting{name + " must be a string, a number, true or false"};
  set(into, name, value.is_string() ? value.get<std::string>() : value.dump());
}

bool is_tenant_name(const std::string& name) {
  auto good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= 40 && std::all_of(name.begin(), name.end(), good);
}

void set_own(settings& into, const nlohmann::json& own) {
  for (const auto& [name, value] : own.items()) {
    if (!row_of(name).of_tenant)
      throw bad_setting{name + " is the same for all tenants; set it outside of them"};
    set_member(into, name, value);
  }
}

/// A tenant has the settings of the server, but for its own.
void read_tenants(settings& into, const nlohmann::json& tenants) {
  if (!tenants.is_object() || tenants.empty())
    throw bad_setting{"tenants must be an object with a member for each tenant"};
  for (const auto& [name, own] : tenants.items()) {
    if (!is_tenant_name(name))
      throw bad_setting{"tenant " + name + ": its name must be 1 to 40 letters a-z, digits and hyphens"};
    if (!own.is_object())
      throw bad_setting{"tenant " + name + " must be an object of settings"};
    auto with = std::make_shared<settings>(into);
    with->tenants.clear();
    at("tenant " + name, [&, &own = own] { set_own(*with, own); });
    into.tenants[name] = std::move(with);
  }
}

} // namespace

settings load_settings(const std::string& file, const std::vector<std::pair<std::string, std::string>>& command_line) {
  settings loaded;
  for (const auto& row : setting_rows())
    row.set(loaded, row.name, row.standard);
  std::optional<nlohmann::json> tenants;
  if (!file.empty()) {
    auto parsed = read_file(file);
    if (parsed.contains("tenants"))
      tenants = parsed.at("tenants");
    parsed.erase("tenants");
    at(file, [&] {
      for (const auto& [name, value] : parsed.items())
        set_member(loaded, name, value);
    });
  }
  for (const auto& [name, value] : command_line)
    set(loaded, name, value);
  if (tenants)
    at(file, [&] { read_tenants(loaded, *tenants); });
  else
    loaded.tenants["default"] = std::make_shared<settings>(loaded);
  return loaded;
}

} // namespace segue
