#include "adapters/redis/redis_chunk_store.hpp"

#include "adapters/redis/records.hpp"
#include "adapters/redis/scripts.hpp"
#include "adapters/redis/stored.hpp"
#include "adapters/redis/transaction.hpp"

#include <algorithm>

namespace segue::redis {

namespace {

constexpr int most_attempts = 32; ///< to find rows as they are
constexpr size_t most_rows_at_once = 1000;

write_outcome decide(transaction& table, const stream_write& write, bool room) {
  if (!room && !needs_no_room(table, write))
    return {ec::storage_full, {}};
  const auto* marking = std::get_if<mark_archive>(&write);
  if (marking && marking->to == archive_state::stored && table.is_incomplete(marking->id))
    return {ec::conflict, {*table.find(marking->id), false, {}}};
  auto outcome = apply_write(table, write);
  const auto* restoring = std::get_if<restore_chunks>(&write);
  if (restoring && table.left_gap(restoring->id))
    outcome.code = ec::conflict;
  return outcome;
}

} // namespace

redis_chunk_store::redis_chunk_store(const store_options& options) : redis_chunk_store(place_of(options), options) {}

redis_chunk_store::redis_chunk_store(place in, const store_options& options)
    : place_(std::move(in)), owner_(options.owner), writer_(place_.where), known_(place_.keys),
      lease_(place_.where, place_.keys), readers_(place_.where, std::max<size_t>(options.connections, 2) - 1) {
  writer_.connect();
  check_settings(writer_, place_.wanted);
}

redis_chunk_store::place redis_chunk_store::place_of(const store_options& options) {
  auto url = parse_store_url(options.url);
  place x{server_of(url, options.timeout), {url.take("prefix", "segue:")}, durability_of(url.take("durability", "always"))};
  url.expect_nothing_else("prefix and durability");
  return x;
}

// -- ownership ---------------------------------------------------------------------------------------------------------

std::optional<std::string> redis_chunk_store::take_lease(const std::string& holder, std::chrono::milliseconds how_long) {
  if (!owner_)
    throw adapter_error{ec::fenced, "this process was not started to own the chunk store"};
  return lease_.take(holder, how_long);
}

void redis_chunk_store::release_lease(const std::string& holder) { lease_.release(holder); }

void redis_chunk_store::reopen() {
  known_.forget_all();
  try {
    writer_.connect();
    check_settings(writer_, place_.wanted);
    if (owner_)
      lease_.raise_epoch();
  } catch (const adapter_error& e) {
    writer_.disconnect(); // nothing is committed until all of this is well
    if (e.code() == ec::invalid_argument) // as it was once, and may be again
      throw adapter_error{ec::unavailable, e.what()};
    throw;
  }
}

// -- writing -----------------------------------------------------------------------------------------------------------

void redis_chunk_store::refuse_what_is_the_owners(std::span<const stream_write> writes) const {
  for (const auto& write : writes)
    if (!owner_ && !std::holds_alternative<mark_archive>(write) && !std::holds_alternative<restore_chunks>(write))
      throw adapter_error{ec::fenced, "only the owner of the chunk store may do that"};
}

std::vector<write_outcome> redis_chunk_store::commit(std::span<const stream_write> writes) {
  refuse_what_is_the_owners(writes);
  if (writer_.hung_up()) // it was idle for too long, or the server was started anew: nothing is undecided
    reopen();
  try {
    return commit_together(writes, true);
  } catch (const adapter_error& e) {
    if (e.code() != ec::storage_full || writes.size() == 1)
      throw;
    auto outcomes = commit_together(writes, false); // what makes room must not fail together with what wants it
    if (std::all_of(outcomes.begin(), outcomes.end(), [](const auto& x) { return x.code == ec::storage_full; }))
      throw;
    return outcomes;
  }
}

std::vector<write_outcome> redis_chunk_store::commit_together(std::span<const stream_write> writes, bool room) {
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    auto epoch = owner_ ? lease_.epoch() : std::string{};
    transaction together{writer_, place_.keys, known_};
    together.prefetch(writes);
    std::vector<write_outcome> outcomes;
    outcomes.reserve(writes.size());
    for (const auto& write : writes)
      outcomes.push_back(decide(together, write, room));
    auto result = together.write(epoch);
    if (result == transaction::result::done)
      return outcomes;
    if (result == transaction::result::fenced && lease_.epoch() == epoch) // it may have been taken anew meanwhile
      throw adapter_error{ec::fenced, place_.where.name() + ": the store belongs to somebody else"};
  }
  throw adapter_error{ec::unavailable, place_.where.name() + ": rows change all the time"};
}

// -- reading -----------------------------------------------------------------------------------------------------------

std::optional<stream_row> redis_chunk_store::load_row(const std::string& path) {
  return readers_.with([&](connection& server) -> std::optional<stream_row> {
    auto answer = server.run(scripts::load_row, {place_.keys.names()}, {path, place_.keys.rows()});
    return answer.is_nil() ? std::nullopt : std::optional{row_from(answer)};
  });
}

std::optional<stream_row> redis_chunk_store::load_row(stream_id id) {
  return readers_.with([&](connection& server) -> std::optional<stream_row> {
    auto answer = server.run({"GET", place_.keys.row(id)});
    return answer.is_nil() ? std::nullopt : std::optional{row_from(answer)};
  });
}

std::vector<chunk> redis_chunk_store::load_chunks(stream_id id, position after, uint64_t limit) {
  return readers_.with([&](connection& server) {
    return read_records(server, place_.keys.chunks(id), after, limit, beginning::holding);
  });
}

std::vector<stream_row> redis_chunk_store::load_expiring(stream_id above, size_t limit) {
  return readers_.with([&](connection& server) {
    std::vector<stream_row> found;
    while (found.size() < limit) {
      auto count = std::min(limit - found.size(), most_rows_at_once);
      auto due = server.run(
          {"ZRANGEBYLEX", place_.keys.due(), "(" + due_member(above), "+", "LIMIT", "0", std::to_string(count)});
      words rows{"MGET"};
      for (size_t i = 0; i < due.size(); ++i)
        rows.push_back(place_.keys.row(above = id_of_due(due[i].text())));
      if (due.size() == 0)
        break;
      auto answer = server.run(rows);
      for (size_t i = 0; i < answer.size(); ++i)
        if (!answer[i].is_nil()) // it may have been deleted meanwhile
          found.push_back(row_from(answer[i]));
      if (due.size() < count)
        break;
    }
    return found;
  });
}

} // namespace segue::redis
