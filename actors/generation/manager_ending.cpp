// The half of the manager that ends generations before their time, and removes them.
#include "actors/generation/manager.hpp"

#include "actors/log.hpp"

#include <algorithm>

namespace segue {

caf::result<generation_status> manager_state::on(const cancel_generation& x) {
  if (!resumed_)
    return not_resumed();
  if (auto row = queue_.take(x.request_id)) {
    if (row->decided == generation_state::queued) // else an earlier life has recorded how it ends
      row->decided = generation_state::cancelled;
    run(std::move(*row)); // it begins with its end
    count();
  }
  if (auto at = live_.find(x.request_id); at != live_.end()) {
    at->second.cancels.push_back(self_->make_response_promise<status_promise>());
    self_->send(at->second.actor, x); // dead: it is told when it is launched again
    return at->second.cancels.back();
  }
  return self_->delegate(catalogue_, find_generation{x.request_id, {}, true});
}

/// Whoever asks for what is being purged already waits for the same.
caf::result<generation_purged> manager_state::on(const purge_generation& x) {
  if (!resumed_)
    return not_resumed();
  if (!purges_.contains(x.request_id)) {
    generation_row row;
    row.request_id = x.request_id;
    purge(std::move(row));
  }
  return self_->delegate(purges_[x.request_id], x);
}

/// It is driven to its end, as long as we live; and by the next start, once the row says so.
void manager_state::purge(generation_row row) {
  auto id = row.request_id;
  auto& x = purges_[id];
  if (x)
    return;
  purge_ground ground{manager_actor{self_}, directory_, catalogue_, transfers_, timeout()};
  x = self_->spawn(segue::purge, std::move(row), std::move(ground));
  self_->monitor(x);
}

void manager_state::purge_stopped(const caf::down_msg& x) {
  auto at = std::find_if(purges_.begin(), purges_.end(), [&x](const auto& known) { return known.second == x.source; });
  if (at == purges_.end())
    return;
  generation_row row;
  row.request_id = at->first;
  purges_.erase(at);
  auto normal = caf::error{caf::exit_reason::normal};
  if (!x.reason || x.reason == normal)
    return;
  log::error("generation", "purge_died", row.request_id + ": " + caf::to_string(x.reason));
  if (!purge_restarts_.allow(restart_budget::clock::now()))
    return; // the next one who asks begins again, or the next start
  metrics_->restarts.Increment();
  purge(std::move(row));
}

} // namespace segue
