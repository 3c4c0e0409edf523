#include "tools/client/transfers.hpp"

#include <cstdio>
#include <ctime>
#include <unistd.h>

#include "tools/client/exit_codes.hpp"
#include "tools/client/terminal.hpp"
#include "tools/client/transfer.hpp"

namespace segue::client {

const char* const transfers_lesson =
    "A transfer is work between the stores on one finished piece:\n"
    "  upload    copies it to the object store\n"
    "  evict     removes its chunks from the chunk store, once the object has them\n"
    "  download  brings the chunks back, after somebody has listened to the object\n"
    "  remove    removes the object of a piece that was removed\n"
    "\n"
    "One that fails is tried again by itself, after pauses that grow to five minutes. A\n"
    "store that is away or full is waited for as long as it takes, and a remove is never\n"
    "given up. Anything else that has failed too often for another reason, or with its\n"
    "worker (`segue serve --transfer-attempts`), is a dead letter: its state is dead, its\n"
    "last error is kept, and nothing more is done with that piece until somebody\n"
    "decides. No sound is lost meanwhile. Once the cause is gone, retry it (or --all of\n"
    "them): it begins anew, with all its attempts. Or drop it, and nothing of it will be\n"
    "done: the piece stays where it is (upload, evict; download: until it is listened to\n"
    "again). A remove cannot be dropped: its objects would stay behind for good.\n"
    "\n"
    "If the server asks for an API key or token, it must be one of the role admin.";

namespace {

constexpr const char* look_up = "segue transfers ls";

std::string path_of(std::uint64_t id) { return "/v1/transfers/" + std::to_string(id); }

/// An answer that should be a transfer.
reply checked(reply answer) {
  if (answer.ok() && !parse_transfer(answer.body)) {
    answer.kind = outcome::problem;
    answer.detail = "the answer is not a transfer; is this a Segue server?";
  }
  return answer;
}

/// An answer that should be a page of them, which is added to `all`.
reply gathered(reply answer, std::vector<transfer>& all) {
  if (!answer.ok())
    return answer;
  bool good = answer.body.is_object() && answer.body["transfers"].is_array();
  if (good) {
    for (const auto& row : answer.body["transfers"]) {
      auto x = parse_transfer(row);
      good = good && x;
      if (x)
        all.push_back(std::move(*x));
    }
  }
  if (!good) {
    answer.kind = outcome::problem;
    answer.detail = "the answer is not a list of transfers; is this a Segue server?";
  }
  return answer;
}

/// Every dead letter there is, over as many pages as that takes.
reply all_dead(const connection_options& connection, std::vector<transfer>& all) {
  http_client client(connection);
  for (query parameters{{"state", "dead"}};;) {
    auto answer = gathered(client.get("/v1/transfers", parameters), all);
    if (!answer.ok() || !answer.body["next"].is_number_unsigned() || answer.body["transfers"].empty())
      return answer;
    parameters = {{"state", "dead"}, {"after", answer.body["next"].dump()}};
  }
}

/// Does one thing to each, whatever becomes of the others, until the server does not answer at all.
template <class Change>
int change_each(const transfers_options& options, const char* what_became, Change change) {
  console says(options.connection, false, look_up);
  http_client client(options.connection);
  auto changed = nlohmann::json::array();
  auto failed = nlohmann::json::array();
  int code = exit_with::ok;
  bool answers = true;
  for (const auto id : options.ids) {
    const auto name = std::to_string(id);
    nlohmann::json error;
    if (!answers) {
      error = {{"code", "not_asked"}, {"detail", "not asked for any more"}};
      says.remark("segue: " + name + ": not asked for any more");
      failed.push_back({{"id", id}, {"error", std::move(error)}});
      continue;
    }
    const auto answer = checked(change(client, path_of(id)));
    if (answer.ok()) {
      const auto now = parse_transfer(answer.body);
      says.line(name + ": " + printable(now->kind) + " of " + printable(now->path) + what_became);
      changed.push_back(answer.body);
      continue;
    }
    const int own = says.explain(answer, name, error);
    failed.push_back({{"id", id}, {"error", std::move(error)}});
    code = code == exit_with::ok ? own : code;
    answers = answer.kind == outcome::problem;
  }
  says.object({{"transfers", changed}, {"failed", failed}});
  return says.finish(code);
}

} // namespace

int run_transfers_ls(const transfers_ls_options& options) {
  console says(options.connection, false, look_up);
  http_client client(options.connection);
  std::vector<transfer> all;
  nlohmann::json rows = nlohmann::json::array();
  nlohmann::json next;
  do {
    query parameters;
    if (options.dead)
      parameters.emplace_back("state", "dead");
    if (!next.is_null())
      parameters.emplace_back("after", next.dump());
    auto answer = gathered(client.get("/v1/transfers", parameters), all);
    if (!answer.ok())
      return says.finish(says.explain(answer));
    next = answer.body["next"];
    if (answer.body["transfers"].empty())
      break;
    for (auto& row : answer.body["transfers"])
      rows.push_back(std::move(row));
  } while (next.is_number_unsigned() && rows.size() < options.limit);

  if (rows.size() > options.limit) { // pages are as long as the server likes
    rows.erase(rows.begin() + options.limit, rows.end());
    all.resize(options.limit);
    next = all.back().id;
  }
  says.object({{"transfers", rows}, {"next", next}});
  if (says.json())
    return says.finish(exit_with::ok);
  if (all.empty()) {
    says.remark(options.dead ? "no dead letters" : "no transfers");
    return exit_with::ok;
  }
  for (const auto& line : table_of(all, terminal_columns(STDOUT_FILENO), std::time(nullptr)))
    std::printf("%s\n", line.c_str());
  if (!next.is_null())
    says.remark("there are more; see --limit");
  return says.finish(exit_with::ok);
}

int run_transfers_retry(const transfers_options& given) {
  auto options = given;
  if (options.all) {
    console says(options.connection, false, look_up);
    std::vector<transfer> dead;
    const auto answer = all_dead(options.connection, dead);
    if (!answer.ok())
      return says.finish(says.explain(answer));
    for (const auto& x : dead)
      options.ids.push_back(x.id);
    if (dead.empty())
      says.remark("no dead letters");
  }
  return change_each(options, " is tried again",
      [](http_client& client, const std::string& path) { return client.post(path + "/retry", ""); });
}

int run_transfers_drop(const transfers_options& options) {
  return change_each(
      options, " is dropped", [](http_client& client, const std::string& path) { return client.remove(path); });
}

} // namespace segue::client
