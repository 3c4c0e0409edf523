#include "adapters/postgres/errors.hpp"

#include "adapters/postgres/pqxx.hpp"

#include <array>
#include <regex>
#include <string_view>

namespace segue::postgres {

namespace {

struct meaning {
  std::string_view state; ///< or how it begins: the first that fits counts
  ec code;
  const char* advice;
};

constexpr auto meanings = std::array{
    meaning{"23505", ec::conflict, ""},
    meaning{"28", ec::invalid_argument, "check the user and the password of the URL, and the server's pg_hba.conf"},
    meaning{"3D000", ec::invalid_argument, "create the database, or correct the URL"},
    meaning{"42501", ec::invalid_argument,
        "the user must own the schema, or be allowed to create it: GRANT CREATE ON DATABASE … TO …"},
    meaning{"42P01", ec::internal, "a table is gone: restore the schema, or restart to create it anew"},
    meaning{"0A", ec::invalid_argument, "the server must be PostgreSQL 12 or newer"},
    meaning{"22", ec::invalid_argument, ""},
    meaning{"54", ec::invalid_argument, ""},
    meaning{"53100", ec::storage_full, "free space on the server's disk"},
    meaning{"53300", ec::unavailable, "raise the server's max_connections, or lower the number of connections here"},
    meaning{"53", ec::unavailable, ""},
    meaning{"57014", ec::timeout, "the server took too long and undid it"},
    meaning{"57", ec::unavailable, "the server stops, starts, or was told to end this session"},
    meaning{"55000", ec::unavailable, "the database takes no connections now"},
    meaning{"55P03", ec::unavailable, "somebody else holds a lock; trying later helps"},
    meaning{"25006", ec::unavailable, "it takes no writes: perhaps a standby"},
    meaning{"40", ec::unavailable, "others were in the way twice; trying later helps"},
    meaning{"08", ec::unavailable, ""},
    meaning{"58", ec::unavailable, "the server has trouble with its files"},
    meaning{"XX001", ec::corrupt, "the server's files are damaged"},
    meaning{"XX002", ec::corrupt, "an index of the server is damaged"},
};

/// Without what libpq adds for programmers, and on one line.
std::string readable(const std::string& message) {
  static const std::regex location{R"(\n?LOCATION:[^\n]*)"};
  static const std::regex breaks{R"(\s*\n\s*)"};
  auto text = std::regex_replace(std::regex_replace(message, location, ""), breaks, " ");
  auto end = text.find_last_not_of(' ');
  return end == std::string::npos ? "no reason given" : text.substr(0, end + 1);
}

} // namespace

/// Only some of the exceptions know their state.
std::string state_of(const std::exception& e) {
  if (dynamic_cast<const pqxx::insufficient_privilege*>(&e))
    return "42501";
  if (dynamic_cast<const pqxx::too_many_connections*>(&e))
    return "53300";
  if (dynamic_cast<const pqxx::deadlock_detected*>(&e))
    return "40P01";
  if (dynamic_cast<const pqxx::serialization_failure*>(&e))
    return "40001";
  if (const auto* told = dynamic_cast<const pqxx::sql_error*>(&e))
    return told->sqlstate();
  return {};
}

/// There is a digit in each, unlike in FATAL.
std::string state_in(const std::string& message) {
  static const std::regex pattern{R"(: +(?=[A-Z]*[0-9])([0-9A-Z]{5}): )"};
  std::smatch found;
  return std::regex_search(message, found, pattern) ? found[1].str() : std::string{};
}

adapter_error refused(const std::string& where, const std::string& state, const std::string& message) {
  auto text = where + ": " + readable(message);
  for (const auto& x : meanings)
    if (!state.empty() && state.starts_with(x.state))
      return {x.code, *x.advice == '\0' ? text : text + " (" + x.advice + ")"};
  return {state.empty() ? ec::unavailable : ec::internal, text};
}

bool ends_session(const std::string& state) {
  constexpr std::array<std::string_view, 4> those{"25006", "26", "42P05", "57P"};
  return std::any_of(those.begin(), those.end(), [&](auto x) { return state.starts_with(x); });
}

bool gave_way(const std::string& state) { return state == "40001" || state == "40P01"; }

} // namespace segue::postgres
