// Adapters by URL scheme: the one place that knows them all.
#pragma once

#include "adapters/host.hpp"

#include <chrono>
#include <filesystem>

namespace segue {

/// What an adapter may need besides its URL.
struct adapter_context {
  std::filesystem::path data;        ///< folder for what embedded engines keep
  uint64_t reserve_bytes = 64 << 20; ///< free space to be left
  std::string soundfont;             ///< for the embedded generator
  std::chrono::milliseconds generator_silence{60'000}; ///< how long an outside model may send nothing
  std::chrono::milliseconds store_timeout{5'000};      ///< how long a networked store may take to answer
  size_t connections = 3; ///< to a networked store, for one writer and N readers
  bool owner = true;      ///< whether this process is the one that serves; else it may not do what only the owner may, such as
                          ///< changing the schema of a shared catalogue, which a server of another build may be using
  uint64_t cache_bytes = 64 << 20; ///< of the recent-chunk cache
};

/// Each opens the engine that a URL such as `rocksdb:` names, or throws `adapter_error`: with `ec::invalid_argument`
/// and the known schemes if there is none.
std::shared_ptr<chunk_store> open_chunk_store(const std::string& url, const adapter_context& context);
std::shared_ptr<chunk_cache> open_chunk_cache(const std::string& url, const adapter_context& context);
std::shared_ptr<object_store> open_object_store(const std::string& url, const adapter_context& context);
std::shared_ptr<catalogue_store> open_catalogue(const std::string& url, const adapter_context& context);
sound_source open_sound_source(const std::string& url, const adapter_context& context);

/// Each throws `adapter_error{ec::invalid_argument}` when nothing can ever be opened with this URL. Opens nothing, and asks nobody.
void check_chunk_store(const std::string& url);
void check_chunk_cache(const std::string& url);
void check_object_store(const std::string& url);
void check_catalogue(const std::string& url);
void check_sound_source(const std::string& url);

/// The file of an embedded catalogue; empty: it has none.
std::filesystem::path catalogue_file(const std::string& url, const std::filesystem::path& data);

} // namespace segue
