#include "adapters/redis/known_rows.hpp"

#include "adapters/redis/stored.hpp"

namespace segue::redis {

namespace {

constexpr size_t most_known = 4096;

uint64_t number_from(const std::string& digits) { return digits.empty() ? 0 : std::stoull(digits); }

} // namespace

known_row known_row_from(const value& stored) {
  if (stored.is_nil() || stored.text().empty())
    return {};
  return {std::string{stored.text()}, row_from(stored)};
}

void known_rows::load(connection& server, std::span<const stream_id> ids) {
  words command{"MGET"};
  std::vector<stream_id> asked;
  for (auto id : ids)
    if (!rows_.contains(id)) {
      command.push_back(keys_.row(id));
      asked.push_back(id);
    }
  if (asked.empty())
    return;
  auto answer = server.run(command);
  for (size_t i = 0; i < asked.size(); ++i)
    remember(asked[i], known_row_from(answer[i]));
}

const known_row& known_rows::row(connection& server, stream_id id) {
  load(server, {&id, 1});
  return rows_.at(id);
}

const counters& known_rows::numbers(connection& server) {
  if (!counters_) {
    auto answer = server.run({"MGET", keys_.last_id(), keys_.count()});
    counters x;
    x.last_id_bytes = answer[0].is_nil() ? "" : answer[0].text();
    x.count_bytes = answer[1].is_nil() ? "" : answer[1].text();
    x.last_id = std::max(number_from(x.last_id_bytes), newest_);
    x.count = number_from(x.count_bytes);
    counters_ = std::move(x);
  }
  return *counters_;
}

void known_rows::forget_all() {
  rows_.clear();
  counters_.reset();
}

void known_rows::tidy() {
  if (rows_.size() > most_known)
    rows_.clear();
}

} // namespace segue::redis
