#include "adapters/registry.hpp"

#include "adapters/background_cache.hpp"
#include "adapters/filesystem/filesystem_object_store.hpp"
#include "adapters/fluidsynth/fluidsynth.hpp"
#include "adapters/http_generator/http_generator.hpp"
#include "adapters/lame/lame.hpp"
#include "adapters/memory/memory_chunk_cache.hpp"
#include "adapters/memory/memory_chunk_store.hpp"
#include "adapters/postgres/postgres_catalogue.hpp"
#include "adapters/postgres/server.hpp"
#include "adapters/redis/redis_chunk_cache.hpp"
#include "adapters/redis/redis_chunk_store.hpp"
#include "adapters/rocksdb/rocksdb_chunk_store.hpp"
#include "adapters/s3/address.hpp"
#include "adapters/s3/s3_object_store.hpp"
#include "adapters/sqlite/sqlite_catalogue.hpp"
#include "adapters/store_url.hpp"

#include <map>

namespace segue {

namespace {

std::string rest_of(const std::string& url) { return url.substr(url.find(':') + 1); }

/// How a URL is read, which throws unless it makes sense, and how what it names is opened.
template <class Result>
struct engine {
  std::function<void(const std::string& url)> check;
  std::function<Result(const std::string& url, const adapter_context&)> open;
};

template <class Result>
using engines = std::map<std::string, engine<Result>>; ///< by scheme

template <class Result>
const engine<Result>& checked(const engines<Result>& known, const std::string& url) {
  auto colon = url.find(':');
  auto found = known.find(url.substr(0, colon));
  if (colon == std::string::npos || found == known.end()) {
    std::string schemes;
    for (const auto& [scheme, x] : known)
      schemes += (schemes.empty() ? "" : ", ") + scheme + ":";
    throw adapter_error{ec::invalid_argument, "\"" + redacted(url) + "\" is not known; known are " + schemes};
  }
  found->second.check(url);
  return found->second;
}

/// Of an engine that has no address: what somebody writes behind its name would do nothing.
void alone(const std::string& url) {
  if (!rest_of(url).empty())
    throw adapter_error{ec::invalid_argument,
        "\"" + redacted(url) + "\" is not possible; it must be \"" + url.substr(0, url.find(':') + 1) + "\", with nothing behind it"};
}

const engines<std::shared_ptr<chunk_store>> chunk_stores{
    {"memory", {alone, [](auto&, auto&) { return std::make_shared<memory::memory_chunk_store>(); }}},
    {"rocksdb",
        {alone,
            [](auto&, const adapter_context& c) {
              return std::make_shared<rocksdb_engine::rocksdb_chunk_store>(
                  rocksdb_engine::options{c.data / "chunks", c.reserve_bytes});
            }}},
    {"redis",
        {redis::redis_chunk_store::check,
            [](const std::string& url, const adapter_context& c) {
              return std::make_shared<redis::redis_chunk_store>(redis::store_options{url, c.store_timeout, c.connections, c.owner});
            }}},
};

const engines<std::shared_ptr<chunk_cache>> chunk_caches{
    {"memory",
        {alone, [](auto&, const adapter_context& c) { return std::make_shared<memory::memory_chunk_cache>(c.cache_bytes); }}},
    {"none", {alone, [](auto&, auto&) { return nullptr; }}},
    {"redis",
        {redis::redis_chunk_cache::check,
            [](const std::string& url, const adapter_context& c) {
              return std::make_shared<background_cache>(
                  std::make_shared<redis::redis_chunk_cache>(redis::cache_options{url, c.connections}));
            }}},
};

const engines<std::shared_ptr<object_store>> object_stores{
    {"file",
        {[](const std::string& url) { filesystem::folder_of(rest_of(url), {}); },
            [](const std::string& url, const adapter_context& c) {
              return std::make_shared<filesystem::filesystem_object_store>(
                  filesystem::options{filesystem::folder_of(rest_of(url), c.data), c.reserve_bytes});
            }}},
    {"s3",
        {s3::parse_address,
            [](const std::string& url, const adapter_context& c) {
              return std::make_shared<s3::s3_object_store>(s3::options{url, c.store_timeout});
            }}},
};

const engines<std::shared_ptr<catalogue_store>> catalogues{
    {"sqlite",
        {[](const std::string& url) { sqlite::file_of(rest_of(url), {}); },
            [](const std::string& url, const adapter_context& c) {
              return std::make_shared<sqlite::sqlite_catalogue>(sqlite::file_of(rest_of(url), c.data), c.connections, c.owner);
            }}},
    {"postgresql",
        {[](const std::string& url) { postgres::read_server(url, {}); },
            [](const std::string& url, const adapter_context& c) {
              return std::make_shared<postgres::postgres_catalogue>(url, postgres::limits{c.connections, c.store_timeout}, c.owner);
            }}},
};

sound_source make_synth_source(const std::string&, const adapter_context& c) {
  auto version = fluidsynth::version(c.soundfont) + " " + lame::version();
  return {"synth", version,
      [soundfont = c.soundfont](const sound_request& x) { return fluidsynth::make_synth(x, soundfont); },
      [] { return lame::make_lame_encoder(); },
      [version, soundfont = c.soundfont] {
        fluidsynth::make_synth({"a", 5, 0}, soundfont);
        return version;
      }};
}

sound_source make_model_source(const std::string& url, const adapter_context& c) {
  http_generator::model_address model{url, c.generator_silence};
  return {"http", "outside " + lame::version(),
      [model](const sound_request& x) { return http_generator::make_outside_model(x, model); },
      [] { return lame::make_lame_encoder(); }, [model] { return http_generator::probe(model); }};
}

const engines<sound_source> sound_sources{
    {"synth", {alone, make_synth_source}},
    {"http", {http_generator::check, make_model_source}},
};

} // namespace

void check_chunk_store(const std::string& url) { checked(chunk_stores, url); }

std::shared_ptr<chunk_store> open_chunk_store(const std::string& url, const adapter_context& context) {
  return checked(chunk_stores, url).open(url, context);
}

void check_chunk_cache(const std::string& url) { checked(chunk_caches, url); }

std::shared_ptr<chunk_cache> open_chunk_cache(const std::string& url, const adapter_context& context) {
  return checked(chunk_caches, url).open(url, context);
}

void check_object_store(const std::string& url) { checked(object_stores, url); }

std::shared_ptr<object_store> open_object_store(const std::string& url, const adapter_context& context) {
  return checked(object_stores, url).open(url, context);
}

void check_catalogue(const std::string& url) { checked(catalogues, url); }

std::shared_ptr<catalogue_store> open_catalogue(const std::string& url, const adapter_context& context) {
  return checked(catalogues, url).open(url, context);
}

void check_sound_source(const std::string& url) { checked(sound_sources, url); }

sound_source open_sound_source(const std::string& url, const adapter_context& context) {
  return checked(sound_sources, url).open(url, context);
}

std::filesystem::path catalogue_file(const std::string& url, const std::filesystem::path& data) {
  return url.starts_with("sqlite:") && url != "sqlite::memory:" ? sqlite::file_of(rest_of(url), data) : "";
}

} // namespace segue
