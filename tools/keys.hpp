// `segue keys` and `segue migrate`: what is done to the catalogue of a tenant directly, also while a server runs.
#pragma once

#include "config/settings.hpp"

namespace segue {

struct key_wish {
  std::string tenant; ///< empty: the only one
  std::string user;
  std::string role;
  std::string note;
};

/// Prints the new key, which nobody can read again.
int add_key(const settings& with, const key_wish& wish);

/// Without what is secret.
int list_keys(const settings& with, const std::string& tenant, bool json);

int remove_key(const settings& with, const std::string& tenant, const std::string& id);

/// Brings the catalogue of every tenant up to date.
int migrate(const settings& with);

} // namespace segue
