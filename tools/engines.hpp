// The engines of each tenant, opened as the settings say, and the parts of a tenant on top of them.
#pragma once

#include "actors/tenant/tenant.hpp"
#include "adapters/registry.hpp"
#include "config/settings.hpp"

#include <vector>

namespace segue {

/// What a program cannot start with, said to whoever starts it.
struct cannot_start {
  std::string what;
};

/// A setting that names an engine by its URL.
struct engine_setting {
  const char* name;
  std::string settings::*url;
  void (*check)(const std::string& url);
};

inline constexpr engine_setting store_settings[] = {
    {"chunk-store", &settings::chunk_store, check_chunk_store},
    {"cache", &settings::cache, check_chunk_cache},
    {"catalogue", &settings::catalogue, check_catalogue},
    {"objects", &settings::objects, check_object_store},
};
inline constexpr engine_setting generator_setting{"generator", &settings::generator, check_sound_source};

/// Throws `bad_setting` when the URL of an engine makes no sense, so that no other start opens it either. Opens nothing.
void check_urls(const settings& with);

/// The stores are null until they are open.
struct tenant_engines {
  std::string name;
  std::shared_ptr<const settings> with;
  adapter_context context;
  std::shared_ptr<chunk_store> chunks;
  std::shared_ptr<chunk_cache> cache; ///< null: none
  std::shared_ptr<catalogue_store> catalogue;
  std::shared_ptr<object_store> objects;
  sound_source sound; ///< of a process that serves
};

/// What there is to open, without doing so. `owner`: this process serves; else it may do only what others may do as well. Throws
/// `cannot_start`, and `bad_setting` for what no other start can mend.
std::vector<tenant_engines> engines_of(const settings& with, const std::filesystem::path& data, bool owner);

/// Opens those stores of a tenant that are not open yet. Blocks; throws what they throw.
void open_stores(tenant_engines& x);

/// How whoever reads a message knows which tenant it is about; empty when there is one.
std::string prefix_of(const std::string& tenant, const settings& with);

/// The catalogue of one tenant alone, for commands that need no more. `owner` as above: a shared one is brought up to date.
/// Throws likewise.
std::shared_ptr<catalogue_store> open_catalogue_of(const settings& with, const std::string& tenant, bool owner = false);

/// Names this process to others that use the same stores.
std::string name_of_process();

/// `of` stays where it is while the tenant lives; its stores are open when the tenant makes its hosts.
tenant_parts parts_of(const tenant_engines& of, metrics& counters);

/// Whether a store is somewhere on the network, where other processes can use it as well.
bool is_networked(const std::string& url);

} // namespace segue
