#include "adapters/host.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <limits>

namespace segue {

namespace {

caf::result<generation_status> insert(catalogue_store& engine, generation_row row) {
  auto accepted = guarded("adding a generation", [&] { return engine.insert(row); });
  if (!accepted)
    return accepted.error();
  row.accepted = *accepted;
  return generation_status{std::move(row)};
}

caf::result<generation_status> store(catalogue_store& engine, const generation_row& row) {
  auto stored = guarded("storing a generation", [&] { return engine.store(row); });
  if (!stored)
    return stored.error();
  if (!*stored)
    return caf::make_error(ec::not_found, "there is no generation " + row.request_id);
  return generation_status{row};
}

caf::result<generation_purged> erase(catalogue_store& engine, const std::string& request_id) {
  auto erased = guarded("erasing a generation", [&] { return engine.erase(request_id), true; });
  if (!erased)
    return erased.error();
  return generation_purged{};
}

caf::result<generation_status> find(catalogue_store& engine, const find_generation& x) {
  auto row = guarded("finding a generation", [&] { return engine.find(x.request_id); });
  if (!row)
    return row.error();
  bool visible = *row && (*row)->state != generation_state::purging && (x.user_id.empty() || (*row)->user_id == x.user_id);
  if (!visible)
    return caf::make_error(ec::not_found, "there is no generation " + x.request_id);
  return generation_status{std::move(**row)};
}

/// Asks for one row more than wanted, to know whether there is another page.
template <class Query>
caf::result<generations_listed> page(uint32_t limit, Query query) {
  auto rows = guarded("listing generations", [&] { return query(limit + 1); });
  if (!rows)
    return rows.error();
  generations_listed listed{std::move(*rows), false};
  if (listed.rows.size() > limit) {
    listed.rows.resize(limit);
    listed.more = true;
  }
  return listed;
}

caf::result<generations_listed> list(catalogue_store& engine, const list_generations& x) {
  auto before = std::numeric_limits<uint64_t>::max();
  if (!x.after.empty()) {
    auto last = guarded("finding a generation", [&] { return engine.find(x.after); });
    if (!last)
      return last.error();
    if (!*last)
      return caf::make_error(ec::not_found, "there is no generation " + x.after);
    before = (*last)->accepted;
  }
  return page(x.limit, [&](uint32_t limit) { return engine.newest(x.user_id, before, limit); });
}

catalogue_actor::behavior_type catalogue(catalogue_actor::pointer self, std::shared_ptr<catalogue_store> engine) {
  return {
      [engine](const insert_generation& x) { return insert(*engine, x.row); },
      [engine](const store_generation& x) { return store(*engine, x.row); },
      [engine](const erase_generation& x) { return erase(*engine, x.request_id); },
      [engine](const find_generation& x) { return find(*engine, x); },
      [engine](const list_generations& x) { return list(*engine, x); },
      [engine](const list_unfinished& x) {
        return page(x.limit, [&](uint32_t limit) { return engine->unfinished(x.after, limit); });
      },
      [self](const describe_actor&) { return actor_description{"catalogue host", "ready", self->mailbox().size(), 0, {}}; },
  };
}

} // namespace

catalogue_actor spawn_catalogue_host(
    caf::actor_system& system, std::shared_ptr<catalogue_store> engine, host_options options) {
  return options.own_threads ? system.spawn<caf::detached>(catalogue, std::move(engine))
                             : system.spawn(catalogue, std::move(engine));
}

} // namespace segue
