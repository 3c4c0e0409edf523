#include "http/admission.hpp"
#include "http/generation_json.hpp"
#include "http/handlers/handlers.hpp"
#include "http/number.hpp"
#include "http/wire_format.hpp"

#include <nlohmann/json.hpp>

namespace segue::http {

namespace {

constexpr uint32_t default_limit = 50;
constexpr uint64_t largest_limit = 200;

problem no_such_generation(const exchange& x) {
  return refused(404, "not_found", "There is no such thing", "There is no generation " + x.parameter("id") + ".");
}

} // namespace

asio::awaitable<void> post_generation(exchange& x) {
  if (!is_json(x.header("content-type"))) {
    auto why = refused(415, "wrong_content_type", "The content type is not supported",
        "The Content-Type must be application/json.");
    co_return co_await x.send_problem(std::move(why));
  }
  const auto& of = x.services();
  auto wish = of.user_id.empty() ? read_wish(x.asked().body) : read_wish(x.asked().body, of.user_id);
  if (auto* why = std::get_if<problem>(&wish))
    co_return co_await x.send_problem(*why);
  if (!of.may_see(std::get<start_generation>(wish).user_id)) {
    auto why = refused(403, "forbidden", "This is for somebody else", "user_id must be " + of.user_id + ", or be left out.");
    co_return co_await x.send_problem(std::move(why));
  }
  auto started = co_await x.ask(of.manager, std::get<start_generation>(wish));
  if (!started)
    co_return co_await x.send_error(started.error());
  auto body = to_json(started->row);
  if (const auto& producer = started->row.producer; !producer.empty())
    body["producer"] = {{"id", producer}, {"epoch", 0}}; // told to nobody else
  co_await x.send_json(body);
}

asio::awaitable<std::optional<generation_row>> find_row(exchange& x, std::string user_id, bool purges) {
  const auto& of = x.services();
  const auto& id = x.parameter("id");
  if (!is_uuid(id)) {
    co_await x.send_problem(no_such_generation(x));
    co_return std::nullopt;
  }
  find_generation find{id, std::move(user_id), purges};
  auto found = co_await x.ask(of.manager, std::move(find));
  bool hidden = found ? !of.may_see(found->row.user_id) : code_of(found.error()) == ec::not_found;
  if (hidden) {
    co_await x.send_problem(no_such_generation(x));
    co_return std::nullopt;
  }
  if (found)
    co_return std::move(found->row);
  co_await x.send_error(found.error());
  co_return std::nullopt;
}

asio::awaitable<void> get_generation(exchange& x) {
  auto row = co_await find_row(x);
  if (!row)
    co_return;
  auto body = to_json(*row);
  co_await x.send_json(body);
}

asio::awaitable<void> get_generations(exchange& x) {
  list_generations wanted{x.query("user_id").value_or(""), default_limit, x.query("after").value_or("")};
  std::optional<problem> wrong;
  if (auto limit = x.query("limit")) {
    wanted.limit = static_cast<uint32_t>(whole_number(*limit, largest_limit).value_or(0));
    if (wanted.limit == 0)
      wrong = bad_field("limit", "limit must be a whole number from 1 to 200.");
  }
  if (!wanted.user_id.empty() && !is_user_id(wanted.user_id))
    wrong = bad_field("user_id", user_id_rule);
  if (!wanted.after.empty() && !is_uuid(wanted.after))
    wrong = bad_field("after", "after must be the request_id of a generation, e.g. the \"next\" of the page before.");
  if (wrong)
    co_return co_await x.send_problem(std::move(*wrong));
  const auto& of = x.services();
  if (auto only = of.only_of(); !only.empty()) {
    if (!wanted.user_id.empty() && wanted.user_id != only)
      co_return co_await x.send_problem(no_such_thing());
    wanted.user_id = only;
  }
  auto listed = co_await x.ask(of.manager, std::move(wanted));
  if (!listed)
    co_return co_await x.send_error(listed.error());
  nlohmann::ordered_json body{{"generations", nlohmann::ordered_json::array()}, {"next", nullptr}};
  for (const auto& row : listed->rows)
    body["generations"].push_back(to_json(row));
  if (listed->more)
    body["next"] = listed->rows.back().request_id;
  co_await x.send_json(body);
}

asio::awaitable<void> delete_generation(exchange& x) {
  auto wanted = x.query("purge").value_or("false");
  bool purges = wanted == "true";
  if (!purges && wanted != "false") {
    auto why = bad_field("purge", "purge must be true or false.");
    co_return co_await x.send_problem(std::move(why));
  }
  const auto& id = x.parameter("id");
  if (!is_uuid(id))
    co_return co_await x.send_problem(no_such_generation(x));
  auto row = co_await find_row(x, {}, purges);
  if (!row)
    co_return;
  if (purges) {
    purge_generation request{id};
    auto purged = co_await x.ask(x.services().manager, std::move(request));
    if (!purged)
      co_return co_await x.send_error(purged.error());
    response nothing{204, {}, {}};
    co_return co_await x.send(std::move(nothing));
  }
  cancel_generation request{id};
  auto cancelled = co_await x.ask(x.services().manager, std::move(request));
  if (!cancelled)
    co_return co_await x.send_error(cancelled.error());
  auto body = to_json(cancelled->row);
  co_await x.send_json(body);
}

} // namespace segue::http
