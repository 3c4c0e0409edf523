#include "tools/engines.hpp"

#include "actors/log.hpp"
#include "adapters/store_place.hpp"
#include "adapters/store_url.hpp"
#include "tools/data_folder.hpp"

#include <map>

#include <unistd.h>

namespace segue {

namespace {

adapter_context context_of(const std::string& tenant, const settings& with, std::filesystem::path data, bool owner) {
  if (owner)
    make_data_folder(data);
  if (tenant != "default")
    data = data / "tenants" / tenant;
  if (owner)
    std::filesystem::create_directories(data); // in that one
  adapter_context x{data, with.reserve_bytes, with.soundfont, with.generator_silence};
  x.store_timeout = with.store_timeout;
  x.connections = with.store_readers + 1;
  x.cache_bytes = with.cache_bytes;
  x.owner = owner;
  return x;
}

/// A generator that cannot begin shall be known now, not with the first wish; one that is away may come.
void probe(const sound_source& sound) {
  try {
    sound.probe();
  } catch (const adapter_error& e) {
    if (e.code() != ec::unavailable)
      throw;
    log::warning("server", "generator_away", std::string{e.what()} + "; it may come later");
  }
}

/// What two tenants have in common is no wall between them, however its URL is spelled and whoever may use it.
void refuse_common_stores(const settings& with) {
  std::map<std::pair<std::string, std::string>, std::string> users; ///< setting and place to tenant
  for (const auto& [name, own] : with.tenants)
    for (const auto& x : store_settings) {
      const auto& url = (*own).*x.url;
      auto place = place_of(url);
      if (place.empty())
        continue;
      auto [first, fresh] = users.try_emplace({x.name, place}, name);
      if (!fresh)
        throw bad_setting{"tenants " + first->second + " and " + name + " have the same " + x.name + " " + redacted(url)
            + " (" + redacted(place) + "); each needs its own"};
    }
}

/// A worker that kept objects in its own folder would verify them there and let the only other copy go.
void refuse_own_folders(const settings& with) {
  for (const auto& [name, own] : with.tenants)
    if (own->work_elsewhere && is_own_folder(own->objects))
      throw bad_setting{prefix_of(name, with) + "--transfers elsewhere needs --objects that every worker reaches, and file: is a folder of this "
          "process alone; give s3://KEY:SECRET@BUCKET/PREFIX?endpoint=URL, or file:/FOLDER with a folder that all of them share"};
}

/// A worker prolongs its lease after a third of it, and the catalogue may take its time to answer.
void refuse_short_leases(const settings& with) {
  for (const auto& [name, own] : with.tenants)
    if (is_networked(own->catalogue) && own->transfer_lease < 2 * own->store_timeout)
      throw bad_setting{"--transfer-lease is " + std::to_string(own->transfer_lease.count()) + " ms, and must be at least twice "
          + "--store-timeout, which is " + std::to_string(own->store_timeout.count())
          + " ms: else a worker that is well could lose its transfer"};
}

} // namespace

std::string prefix_of(const std::string& tenant, const settings& with) {
  return with.tenants.size() > 1 ? "tenant " + tenant + ": " : "";
}

void check_urls(const settings& with) {
  for (const auto& [name, own] : with.tenants) {
    auto check = [&, &name = name, &own = own](const engine_setting& x) {
      try {
        x.check((*own).*x.url);
      } catch (const adapter_error& e) {
        throw bad_setting{prefix_of(name, with) + x.name + ": " + e.what()};
      }
    };
    for (const auto& x : store_settings)
      check(x);
    check(generator_setting);
  }
}

std::vector<tenant_engines> engines_of(const settings& with, const std::filesystem::path& data, bool owner) {
  check_urls(with);
  refuse_common_stores(with);
  refuse_own_folders(with);
  refuse_short_leases(with);
  std::vector<tenant_engines> all;
  for (const auto& [name, own] : with.tenants) {
    tenant_engines x{name, own};
    try {
      x.context = context_of(name, *own, data, owner);
      if (owner) {
        x.sound = open_sound_source(own->generator, x.context);
        probe(x.sound);
      }
    } catch (const std::exception& e) {
      throw cannot_start{prefix_of(name, with) + e.what()};
    }
    all.push_back(std::move(x));
  }
  return all;
}

void open_stores(tenant_engines& x) {
  auto open = [&](auto& store, const std::string& url, auto opened) {
    if (!store)
      store = opened(url, x.context);
  };
  open(x.chunks, x.with->chunk_store, open_chunk_store);
  open(x.cache, x.with->cache, open_chunk_cache);
  open(x.catalogue, x.with->catalogue, open_catalogue);
  open(x.objects, x.with->objects, open_object_store);
}

std::shared_ptr<catalogue_store> open_catalogue_of(const settings& with, const std::string& tenant, bool owner) {
  check_urls(with);
  auto own = with.tenants.find(tenant.empty() && with.tenants.size() == 1 ? with.tenants.begin()->first : tenant);
  if (own == with.tenants.end()) {
    std::string names;
    for (const auto& [name, x] : with.tenants)
      names += (names.empty() ? "" : ", ") + name;
    throw bad_setting{tenant.empty() ? "say which tenant with --tenant: there are " + names
                                      : "there is no tenant \"" + tenant + "\"; there are " + names};
  }
  try {
    return open_catalogue(own->second->catalogue, context_of(own->first, *own->second, with.data, owner));
  } catch (const std::exception& e) {
    throw cannot_start{prefix_of(own->first, with) + e.what()};
  }
}

std::string name_of_process() {
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  return std::string{host} + "/" + std::to_string(getpid()) + "/" + new_uuid().substr(0, 8);
}

tenant_parts parts_of(const tenant_engines& of, metrics& counters) {
  const auto& with = *of.with;
  host_options hosts{true, with.store_readers};
  bool networked = is_networked(with.catalogue);
  tenant_parts parts;
  parts.name = of.name;
  parts.make_object_store = [&of, hosts, &counters](caf::actor_system& system) {
    return spawn_object_store_host(system, of.objects, hosts, counters);
  };
  parts.make_chunk_store = [&of, hosts, &counters](caf::actor_system& system, object_store_actor objects) {
    return spawn_chunk_store_host(system, {of.chunks, of.cache, &counters}, std::move(objects), hosts);
  };
  parts.make_catalogue = [&of, hosts, &counters](caf::actor_system& system) {
    return spawn_catalogue_host(system, of.catalogue, hosts, counters);
  };
  parts.make_generator = [&of, hosts](caf::actor_system& system) { return spawn_generator_host(system, of.sound, hosts); };
  parts.streams.ring_bytes = with.ring_bytes;
  parts.streams.pending_bytes = with.pending_bytes;
  parts.streams.idle = with.idle;
  parts.streams.streams = with.streams;
  parts.streams.most_bytes = with.stream_bytes;
  parts.streams.producers = with.stream_producers;
  parts.generations.generator = of.sound.name;
  parts.generations.running = with.generations_running;
  parts.generations.queued = with.generations_queued;
  parts.generations.pushed = with.generations_pushed;
  parts.generations.each.heartbeat = with.heartbeat;
  parts.generations.each.attempts.fruitless = with.generator_attempts;
  parts.transfers.holder = name_of_process();
  parts.transfers.archive = with.archive;
  parts.transfers.working = !with.work_elsewhere;
  parts.transfers.workers = with.transfer_workers;
  parts.transfers.retries.attempts = static_cast<uint32_t>(with.transfer_attempts);
  parts.transfers.each.lease = with.transfer_lease;
  parts.transfers.each.timeout = with.store_timeout * 15; // the end of an upload may take twelve
  parts.transfers.each.slowest = 16 / std::clamp<uint64_t>(with.transfer_workers, 1, 16); // as S3's patience, but all of them have one writer
  parts.transfers.each.part_bytes = with.object_part;
  parts.transfers.each.evict_after = with.archive_after;
  parts.transfers.look = std::chrono::seconds{networked ? 1 : 5}; // others may have put something there
  parts.counters = &counters;
  return parts;
}

bool is_networked(const std::string& url) {
  auto scheme = url.substr(0, url.find(':'));
  return scheme == "redis" || scheme == "postgresql" || scheme == "s3";
}

} // namespace segue
