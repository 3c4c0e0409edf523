// Work between the stores, for operators: what is queued, what has failed, and what becomes of it.
#include "actors/ids.hpp"
#include "http/handlers/handlers.hpp"
#include "http/number.hpp"

#include <nlohmann/json.hpp>

namespace segue::http {

namespace {

using json = nlohmann::ordered_json;

constexpr uint32_t page = 100;

json to_json(const transfer_row& x) {
  auto time = [](int64_t ms) { return ms == 0 ? json{} : json(format_time(ms)); };
  return {{"id", x.id}, {"kind", to_string(x.kind)}, {"state", to_string(x.state)}, {"path", x.path},
      {"attempts", x.attempts}, {"error", x.error.empty() ? json{} : json(x.error)}, {"due", time(x.due_at_ms)},
      {"holder", x.holder.empty() ? json{} : json(x.holder)}, {"bytes_done", x.bytes_done}, {"bytes_total", x.bytes_total},
      {"created", time(x.created_at_ms)}, {"changed", time(x.changed_at_ms)}};
}

/// Asks about the transfer that `{number}` names, and answers with it.
template <class Request>
asio::awaitable<void> answer(exchange& x) {
  const auto& of = x.services();
  auto id = whole_number(x.parameter("number"));
  if (!id) {
    auto why = refused(404, "not_found", "There is no such thing", "A transfer has a whole number.");
    co_return co_await x.send_problem(std::move(why));
  }
  Request request{*id};
  auto found = co_await x.ask(of.transfers, std::move(request));
  if (!found)
    co_return co_await x.send_error(found.error());
  auto body = to_json(found->row);
  co_await x.send_json(body);
}

} // namespace

asio::awaitable<void> get_transfers(exchange& x) {
  auto state = x.query("state").value_or("");
  auto after = whole_number(x.query("after").value_or("0"));
  std::optional<problem> wrong;
  if (!state.empty() && state != "dead")
    wrong = bad_field("state", "state must be dead; leave it out to see all.");
  if (!after)
    wrong = bad_field("after", "after must be the id of a transfer, e.g. the \"next\" of the page before.");
  if (wrong)
    co_return co_await x.send_problem(std::move(*wrong));
  const auto& of = x.services();
  list_transfers wanted{*after, page, state == "dead"};
  auto listed = co_await x.ask(of.transfers, std::move(wanted));
  if (!listed)
    co_return co_await x.send_error(listed.error());
  json body{{"transfers", json::array()}, {"next", nullptr}};
  for (const auto& row : listed->rows)
    body["transfers"].push_back(to_json(row));
  if (listed->more)
    body["next"] = listed->rows.back().id;
  co_await x.send_json(body);
}

asio::awaitable<void> get_transfer(exchange& x) { return answer<segue::find_transfer>(x); }

asio::awaitable<void> retry_transfer(exchange& x) { return answer<segue::retry_transfer>(x); }

asio::awaitable<void> drop_transfer(exchange& x) { return answer<segue::drop_transfer>(x); }

} // namespace segue::http
