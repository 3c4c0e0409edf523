#include "actors/unix_clock.hpp"
#include "adapters/catalogue_rows.hpp"
#include "adapters/crew.hpp"
#include "adapters/host.hpp"

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

/// What is being purged is found by those alone who go on where another one stopped.
caf::result<generation_status> find(catalogue_store& engine, const find_generation& x) {
  auto row = guarded("finding a generation", [&] { return engine.find(x.request_id); });
  if (!row)
    return row.error();
  bool there = *row && (x.settled || (*row)->state != generation_state::purging);
  bool visible = there && (x.user_id.empty() || (*row)->user_id == x.user_id);
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
    if (!*last || (!x.user_id.empty() && (*last)->user_id != x.user_id))
      return caf::make_error(ec::not_found, "there is no generation " + x.after);
    before = (*last)->accepted;
  }
  return page(x.limit, [&](uint32_t limit) { return engine.newest(x.user_id, before, limit); });
}

// -- transfers and keys ------------------------------------------------------------------------------------------------

caf::error no_transfer(uint64_t id) {
  return caf::make_error(ec::not_found, "there is no transfer " + std::to_string(id));
}

/// Of rows: the list, or the error.
template <class Query>
caf::result<transfers_listed> rows_of(const char* doing, Query query) {
  auto rows = guarded(doing, query);
  if (!rows)
    return rows.error();
  return transfers_listed{std::move(*rows), false};
}

/// What somebody wants to be due or leased so much after `now_ms` of its own clock, by the clock of the catalogue.
int64_t by_clock(catalogue_store& engine, int64_t wanted_ms, int64_t now_ms) {
  auto clock = engine.clock_ms();
  return clock ? *clock + (wanted_ms - now_ms) : wanted_ms;
}

caf::result<transfer_status> insert(catalogue_store& engine, transfer_row wish) {
  auto row = guarded("adding a transfer", [&] {
    wish.due_at_ms = by_clock(engine, wish.due_at_ms, wish.changed_at_ms);
    return engine.insert(wish);
  });
  if (!row)
    return row.error();
  return transfer_status{std::move(*row)};
}

caf::result<transfers_listed> lease(catalogue_store& engine, const lease_transfers& x) {
  return rows_of("leasing transfers", [&] {
    auto now = engine.clock_ms().value_or(x.now_ms);
    return engine.lease(x.holder, now, now + (x.until_ms - x.now_ms), x.limit);
  });
}

/// A worker prolongs its lease with what it has done, or says when there is more to do: from now on, as long as it says.
caf::result<transfer_status> store(catalogue_store& engine, const transfer_row& row) {
  auto stored = guarded("storing a transfer", [&] {
    auto kept = row;
    if (row.state == transfer_state::running)
      kept.leased_until_ms = by_clock(engine, row.leased_until_ms, row.changed_at_ms);
    if (row.state == transfer_state::waiting)
      kept.due_at_ms = by_clock(engine, row.due_at_ms, row.changed_at_ms);
    return engine.store(kept);
  });
  if (!stored)
    return stored.error();
  if (!*stored)
    return caf::make_error(ec::fenced, "transfer " + std::to_string(row.id) + " is somebody else's");
  return transfer_status{row};
}

/// What an operator wants of a row; `refused` says why that was not possible, or nothing.
template <class Change, class Refused>
caf::result<transfer_status> change(uint64_t id, Change changed, Refused refused) {
  auto row = guarded("changing a transfer", changed);
  if (!row)
    return row.error();
  if (!*row)
    return no_transfer(id);
  if (std::string why = refused(**row); !why.empty())
    return caf::make_error(ec::conflict, "transfer " + std::to_string(id) + " " + why);
  return transfer_status{std::move(**row)};
}

caf::result<transfer_status> retry(catalogue_store& engine, const retry_transfer& x, int64_t now_ms) {
  auto refused = [](const transfer_row& now) {
    return now.state == transfer_state::waiting ? "" : "is " + to_string(now.state);
  };
  return change(x.id, [&] { return engine.retry(x.id, engine.clock_ms().value_or(now_ms)); }, refused);
}

caf::result<transfer_status> drop(catalogue_store& engine, const drop_transfer& x) {
  auto refused = [](const transfer_row& was) -> std::string {
    if (may_be_dropped(was))
      return "";
    return was.state == transfer_state::running ? "is running"
                                                : "removes what is left of a piece, which would stay for good; it can be tried again";
  };
  return change(x.id, [&] { return engine.drop(x.id); }, refused);
}

caf::result<transfers_listed> prune(catalogue_store& engine, const prune_transfers& x) {
  return rows_of("forgetting transfers", [&] { return engine.prune(x.before_ms), std::vector<transfer_row>{}; });
}

caf::result<transfers_listed> list(catalogue_store& engine, const list_transfers& x) {
  auto rows = guarded("listing transfers", [&] { return engine.transfers(x.after, x.limit + 1, x.dead_only); });
  if (!rows)
    return rows.error();
  transfers_listed listed{std::move(*rows), false};
  listed.more = listed.rows.size() > x.limit;
  if (listed.more)
    listed.rows.resize(x.limit);
  return listed;
}

caf::result<transfer_status> find(catalogue_store& engine, const find_transfer& x) {
  return change(x.id, [&] { return engine.find_transfer(x.id); }, [](const transfer_row&) { return ""; });
}

caf::result<api_key_found> find(catalogue_store& engine, const find_api_key& x) {
  auto key = guarded("finding a key", [&] { return engine.find_key(x.hash); });
  if (!key)
    return key.error();
  if (!*key)
    return caf::make_error(ec::not_found);
  return api_key_found{std::move(**key)};
}

// -- the host ----------------------------------------------------------------------------------------------------------

using writer_actor = caf::typed_actor<                      //
    replies_to<insert_generation>::with<generation_status>, //
    replies_to<store_generation>::with<generation_status>,  //
    replies_to<erase_generation>::with<generation_purged>,  //
    replies_to<find_generation>::with<generation_status>,   //
    replies_to<insert_transfer>::with<transfer_status>,     //
    replies_to<lease_transfers>::with<transfers_listed>,    //
    replies_to<store_transfer>::with<transfer_status>,      //
    replies_to<retry_transfer>::with<transfer_status>,      //
    replies_to<drop_transfer>::with<transfer_status>,       //
    replies_to<prune_transfers>::with<transfers_listed>,    //
    replies_to<describe_actor>::with<actor_description>>;

writer_actor::behavior_type writer(writer_actor::pointer self, std::shared_ptr<catalogue_store> engine) {
  return {
      [engine](const insert_generation& x) { return insert(*engine, x.row); },
      [engine](const store_generation& x) { return store(*engine, x.row); },
      [engine](const erase_generation& x) { return erase(*engine, x.request_id); },
      [engine](const find_generation& x) { return find(*engine, x); },
      [engine](const insert_transfer& x) { return insert(*engine, x.row); },
      [engine](const lease_transfers& x) { return lease(*engine, x); },
      [engine](const store_transfer& x) { return store(*engine, x.row); },
      [self, engine](const retry_transfer& x) { return retry(*engine, x, unix_now_ms(self->clock())); },
      [engine](const drop_transfer& x) { return drop(*engine, x); },
      [engine](const prune_transfers& x) { return prune(*engine, x); },
      [self](const describe_actor&) { return actor_description{"writer", "ready", self->mailbox().size(), 0, {}}; },
  };
}

using reader_actor = caf::typed_actor<                          //
    replies_to<find_generation>::with<generation_status>,       //
    replies_to<list_generations>::with<generations_listed>,     //
    replies_to<list_unfinished>::with<generations_listed>,      //
    replies_to<find_transfer>::with<transfer_status>,           //
    replies_to<list_transfers>::with<transfers_listed>,         //
    replies_to<list_changed_transfers>::with<transfers_listed>, //
    replies_to<find_api_key>::with<api_key_found>,              //
    replies_to<describe_actor>::with<actor_description>>;

reader_actor::behavior_type reader(reader_actor::pointer self, std::shared_ptr<catalogue_store> engine) {
  return {
      [engine](const find_generation& x) { return find(*engine, x); },
      [engine](const list_generations& x) { return list(*engine, x); },
      [engine](const list_unfinished& x) {
        return page(x.limit, [&](uint32_t limit) { return engine->unfinished(x.after, limit); });
      },
      [engine](const find_transfer& x) { return find(*engine, x); },
      [engine](const list_transfers& x) { return list(*engine, x); },
      [engine](const list_changed_transfers& x) {
        return rows_of("listing transfers", [&] { return engine->changed_transfers(x.since_ms, x.limit); });
      },
      [engine](const find_api_key& x) { return find(*engine, x); },
      [self](const describe_actor&) { return actor_description{"reader", "ready", self->mailbox().size(), 0, {}}; },
  };
}

struct host_state {
  static inline const char* name = "catalogue host";
  explicit host_state(catalogue_actor::pointer self) : threads(self, name) {}
  crew<catalogue_actor, writer_actor, reader_actor> threads;
};

catalogue_actor::behavior_type host(catalogue_actor::stateful_pointer<host_state> self,
    std::shared_ptr<catalogue_store> engine, host_options options, metrics* m) {
  auto& threads = self->state.threads;
  auto own = options.own_threads;
  threads.start([=] { return spawn_as(own, self, writer, engine); }, [=] { return spawn_as(own, self, reader, engine); },
      options.readers, *m);
  return {
      [&threads](const insert_generation& x) { return threads.write(x); },
      [&threads](const store_generation& x) { return threads.write(x); },
      [&threads](const erase_generation& x) { return threads.write(x); },
      [&threads](const find_generation& x) { return x.settled ? threads.write(x) : threads.read(x); },
      [&threads](const list_generations& x) { return threads.read(x); },
      [&threads](const list_unfinished& x) { return threads.read(x); },
      [&threads](const insert_transfer& x) { return threads.write(x); },
      [&threads](const lease_transfers& x) { return threads.write(x); },
      [&threads](const store_transfer& x) { return threads.write(x); },
      [&threads](const retry_transfer& x) { return threads.write(x); },
      [&threads](const drop_transfer& x) { return threads.write(x); },
      [&threads](const prune_transfers& x) { return threads.write(x); },
      [&threads](const find_transfer& x) { return threads.read(x); },
      [&threads](const list_transfers& x) { return threads.read(x); },
      [&threads](const list_changed_transfers& x) { return threads.read(x); },
      [&threads](const find_api_key& x) { return threads.read(x); },
      [&threads](const describe_actor&) { return threads.describe(); },
  };
}

} // namespace

catalogue_actor spawn_catalogue_host(
    caf::actor_system& system, std::shared_ptr<catalogue_store> engine, host_options options, metrics& m) {
  return system.spawn(host, std::move(engine), options, &m);
}

} // namespace segue
