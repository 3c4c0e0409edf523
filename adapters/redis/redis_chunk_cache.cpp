#include "adapters/redis/redis_chunk_cache.hpp"

#include "actors/log.hpp"
#include "adapters/redis/records.hpp"
#include "adapters/redis/stored.hpp"

namespace segue::redis {

namespace {

constexpr const char* most_records = "1024"; ///< of a stream, about
constexpr const char* kept_s = "600";        ///< after the last record
constexpr auto pause = std::chrono::seconds{1};

std::vector<words> adding(const std::string& key, std::span<const chunk> records) {
  std::vector<words> commands;
  for (const auto& x : records)
    commands.push_back({"XADD", key, "MAXLEN", "~", most_records, entry_id(x.start), entry_field, encode(x)});
  commands.push_back({"EXPIRE", key, kept_s});
  return commands;
}

/// An entry can only be added behind the last one.
bool is_behind(const value& answer) {
  return answer.is_error() && answer.text().find("equal or smaller") != std::string_view::npos;
}

/// Whether a record that is not behind the last one is there as it is, or older than everything that is kept.
bool is_known(connection& server, const std::string& key, const chunk& record) {
  auto found = server.run({"XREVRANGE", key, std::to_string(record.start), "-", "COUNT", "1"});
  return found.size() == 0 || (found[0][0].text() == entry_id(record.start) && found[0][1][1].text() == encode(record));
}

} // namespace

redis_chunk_cache::redis_chunk_cache(const cache_options& options)
    : redis_chunk_cache(place_of(options), options.connections) {}

redis_chunk_cache::redis_chunk_cache(place in, size_t connections)
    : place_(std::move(in)), connections_(place_.where, connections) {
  try {
    probe();
  } catch (const adapter_error& e) {
    if (e.code() == ec::invalid_argument)
      throw;
    went_away(e.what());
  }
}

void redis_chunk_cache::probe() {
  connections_.with([this](connection& server) { server.run({"EXISTS", place_.keys.recent(0)}); }); // may it?
}

redis_chunk_cache::place redis_chunk_cache::place_of(const cache_options& options) {
  auto url = parse_store_url(options.url);
  place x{server_of(url, options.timeout), {url.take("prefix", "segue:")}};
  url.expect_nothing_else("prefix");
  return x;
}

/// Whoever comes while the server is away must not wait for it: it is tried once a second.
template <class Use>
void redis_chunk_cache::attempt(Use use) {
  if (clock::now().time_since_epoch().count() < not_before_)
    return;
  try {
    connections_.with(use);
    came_back();
  } catch (const adapter_error& e) {
    went_away(e.what());
  }
}

void redis_chunk_cache::came_back() {
  if (away_ && away_.exchange(false))
    log::info("redis", "cache_back", "the chunk cache answers again");
}

void redis_chunk_cache::went_away(const char* why) {
  not_before_ = (clock::now() + pause).time_since_epoch().count();
  if (!away_.exchange(true))
    log::warning("redis", "cache_away", std::string{"readers do without the chunk cache: "} + why);
}

void redis_chunk_cache::put(stream_id id, std::span<const chunk> records) {
  if (records.empty())
    return;
  attempt([&](connection& server) {
    auto key = place_.keys.recent(id);
    auto answers = server.run_all(adding(key, records));
    for (size_t i = 0; i < records.size(); ++i) {
      if (!is_behind(answers[i])) {
        expect_good(answers[i], place_.where.name());
      } else if (!is_known(server, key, records[i])) { // the store has lost what it once had, and has gone on from there
        server.run({"UNLINK", key});
        server.run_all(adding(key, records));
        return;
      }
    }
  });
}

std::vector<chunk> redis_chunk_cache::get(stream_id id, position after, uint64_t limit) {
  std::vector<chunk> found;
  attempt([&](connection& server) {
    found = read_records(server, place_.keys.recent(id), after, limit, beginning::exactly);
  });
  return found;
}

void redis_chunk_cache::forget(stream_id id) {
  attempt([&](connection& server) { server.run({"UNLINK", place_.keys.recent(id)}); });
}

} // namespace segue::redis
