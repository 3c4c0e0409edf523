#include "tools/tenants.hpp"

#include "actors/away.hpp"
#include "actors/log.hpp"
#include "actors/tenant/opener.hpp"
#include "adapters/store_url.hpp"

#include <caf/actor_system.hpp>

namespace segue {

namespace {

std::vector<leased_store> leased_stores_of(const tenant_engines& x, const std::string& prefix) {
  std::vector<leased_store> all;
  if (is_networked(x.with->chunk_store)) // else it is locked with the data folder
    all.push_back({prefix + "the chunk store " + redacted(x.with->chunk_store), x.chunks});
  if (is_networked(x.with->catalogue))
    all.push_back({prefix + "the catalogue " + redacted(x.with->catalogue), x.catalogue});
  return all;
}

} // namespace

tenant_ground::tenant_ground(tenant_engines engines, std::string prefix, std::optional<lease_terms> terms)
    : engines_(std::move(engines)), prefix_(std::move(prefix)), terms_(std::move(terms)) {}

void tenant_ground::open(std::chrono::milliseconds patience) {
  auto file = catalogue_file(engines_.with->catalogue, engines_.context.data);
  if (terms_ && !lock_ && !file.empty())
    lock_.emplace(lock_beside(file), "the catalogue " + file.string(), "--catalogue");
  open_stores(engines_);
  if (terms_) {
    auto holder = name_of_process() + "/" + engines_.name; // two tenants in one store would be in each other's way
    leases_.emplace(leased_stores_of(engines_, prefix_), holder, terms_->how_long, patience, terms_->lost);
  }
  open_ = true;
}

tenant_parts tenant_ground::parts(metrics& counters) {
  auto parts = parts_of(engines_, counters);
  if (!open_)
    parts.make_opener = [this, &counters](caf::actor_system& system) {
      return system.spawn<caf::detached>(opener, opener_options{engines_.name, [this] { open(std::chrono::milliseconds{0}); }}, &counters);
    };
  return parts;
}

std::deque<tenant_ground> open_tenants(const settings& with, const std::filesystem::path& data, bool owner, std::optional<lease_terms> terms) {
  // Whoever prolongs a lease does so three times while it lasts: after half of it again, it is somebody who is alive.
  auto patience = terms ? terms->how_long * 3 / 2 : std::chrono::milliseconds{0};
  std::deque<tenant_ground> all;
  for (auto& x : engines_of(with, data, owner)) {
    auto prefix = prefix_of(x.name, with);
    all.emplace_back(std::move(x), prefix, terms);
  }
  size_t away = 0;
  for (auto& x : all) {
    try {
      x.open(patience);
    } catch (const adapter_error& e) {
      if (!is_away(e.code()) || ++away == all.size())
        throw cannot_start{x.prefix() + e.what()};
      log::warning("server", "tenant_away", x.prefix() + e.what() + "; the others begin, and it follows");
    } catch (const std::exception& e) {
      throw cannot_start{x.prefix() + e.what()};
    }
  }
  return all;
}

} // namespace segue
