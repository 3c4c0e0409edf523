// SQL of a test, past the catalogue.
#pragma once

#include "adapters/postgres/pqxx.hpp"

#include <string>

namespace segue {

/// A connection to the schema that a catalogue's URL names.
class postgres_sql {
public:
  explicit postgres_sql(const std::string& url) : connection_(url.substr(0, url.find('?'))) {
    if (auto at = url.find("schema="); at != std::string::npos)
      run("SET search_path = " + url.substr(at + 7));
  }

  pqxx::result run(const std::string& sql) { return pqxx::nontransaction{connection_}.exec(sql); }

  /// The one cell of the answer.
  std::string value(const std::string& sql) { return run(sql)[0][0].c_str(); }

private:
  pqxx::connection connection_;
};

} // namespace segue
