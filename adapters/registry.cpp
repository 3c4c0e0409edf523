#include "adapters/registry.hpp"

#include "adapters/background_cache.hpp"
#include "adapters/filesystem/filesystem_object_store.hpp"
#include "adapters/fluidsynth/fluidsynth.hpp"
#include "adapters/http_generator/http_generator.hpp"
#include "adapters/lame/lame.hpp"
#include "adapters/memory/memory_chunk_cache.hpp"
#include "adapters/memory/memory_chunk_store.hpp"
#include "adapters/postgres/postgres_catalogue.hpp"
#include "adapters/redis/redis_chunk_cache.hpp"
#include "adapters/redis/redis_chunk_store.hpp"
#include "adapters/rocksdb/rocksdb_chunk_store.hpp"
#include "adapters/s3/s3_object_store.hpp"
#include "adapters/sqlite/sqlite_catalogue.hpp"
#include "adapters/store_url.hpp"

#include <map>

namespace segue {

namespace {

/// Scheme to factory; a factory gets what stands behind the colon.
template <class Result>
using factories = std::map<std::string, std::function<Result(const std::string& rest, const adapter_context&)>>;

template <class Result>
Result open(const factories<Result>& known, const char* what, const std::string& url, const adapter_context& context) {
  auto colon = url.find(':');
  auto factory = known.find(url.substr(0, colon));
  if (colon == std::string::npos || factory == known.end()) {
    std::string schemes;
    for (const auto& [scheme, f] : known)
      schemes += (schemes.empty() ? "" : ", ") + scheme + ":";
    throw adapter_error{ec::invalid_argument, std::string{what} + ": \"" + redacted(url) + "\" is not known; known are " + schemes};
  }
  return factory->second(url.substr(colon + 1), context);
}

} // namespace

std::shared_ptr<chunk_store> open_chunk_store(const std::string& url, const adapter_context& context) {
  static const factories<std::shared_ptr<chunk_store>> known{
      {"memory", [](auto&, auto&) { return std::make_shared<memory::memory_chunk_store>(); }},
      {"rocksdb",
          [](auto&, const adapter_context& c) {
            return std::make_shared<rocksdb_engine::rocksdb_chunk_store>(
                rocksdb_engine::options{c.data / "chunks", c.reserve_bytes});
          }},
      {"redis",
          [](const std::string& rest, const adapter_context& c) {
            return std::make_shared<redis::redis_chunk_store>(
                redis::store_options{"redis:" + rest, c.store_timeout, c.connections, c.owner});
          }},
  };
  return open(known, "chunk-store", url, context);
}

std::shared_ptr<chunk_cache> open_chunk_cache(const std::string& url, const adapter_context& context) {
  static const factories<std::shared_ptr<chunk_cache>> known{
      {"memory",
          [](auto&, const adapter_context& c) { return std::make_shared<memory::memory_chunk_cache>(c.cache_bytes); }},
      {"none", [](auto&, auto&) { return nullptr; }},
      {"redis",
          [](const std::string& rest, const adapter_context& c) {
            return std::make_shared<background_cache>(
                std::make_shared<redis::redis_chunk_cache>(redis::cache_options{"redis:" + rest, c.connections}));
          }},
  };
  return open(known, "cache", url, context);
}

std::shared_ptr<object_store> open_object_store(const std::string& url, const adapter_context& context) {
  static const factories<std::shared_ptr<object_store>> known{
      {"file",
          [](const std::string& rest, const adapter_context& c) {
            return std::make_shared<filesystem::filesystem_object_store>(
                filesystem::options{filesystem::folder_of(rest, c.data), c.reserve_bytes});
          }},
      {"s3",
          [](const std::string& rest, const adapter_context& c) {
            return std::make_shared<s3::s3_object_store>(s3::options{"s3:" + rest, c.store_timeout});
          }},
  };
  return open(known, "objects", url, context);
}

std::shared_ptr<catalogue_store> open_catalogue(const std::string& url, const adapter_context& context) {
  static const factories<std::shared_ptr<catalogue_store>> known{
      {"sqlite",
          [](const std::string& rest, const adapter_context& c) {
            auto file = rest.empty() ? (c.data / "catalogue.sqlite").string() : rest;
            return std::make_shared<sqlite::sqlite_catalogue>(file, c.connections, c.owner);
          }},
      {"postgresql",
          [](const std::string& rest, const adapter_context& c) {
            return std::make_shared<postgres::postgres_catalogue>(
                "postgresql:" + rest, postgres::limits{c.connections, c.store_timeout}, c.owner);
          }},
  };
  return open(known, "catalogue", url, context);
}

sound_source open_sound_source(const std::string& url, const adapter_context& context) {
  static const factories<sound_source> known{
      {"synth",
          [](auto&, const adapter_context& c) {
            auto version = fluidsynth::version(c.soundfont) + " " + lame::version();
            return sound_source{"synth", version,
                [soundfont = c.soundfont](const sound_request& x) { return fluidsynth::make_synth(x, soundfont); },
                [] { return lame::make_lame_encoder(); },
                [version, soundfont = c.soundfont] {
                  fluidsynth::make_synth({"a", 5, 0}, soundfont);
                  return version;
                }};
          }},
      {"http",
          [](const std::string& rest, const adapter_context& c) {
            http_generator::model_address model{"http:" + rest, c.generator_silence};
            http_generator::check(model.url);
            return sound_source{"http", "outside " + lame::version(),
                [model](const sound_request& x) { return http_generator::make_outside_model(x, model); },
                [] { return lame::make_lame_encoder(); }, [model] { return http_generator::probe(model); }};
          }},
  };
  return open(known, "generator", url, context);
}

} // namespace segue
