// The half of the manager that ends generations before their time, and removes them.
#include "actors/generation/manager.hpp"

#include "actors/log.hpp"
#include "actors/sound.hpp"

namespace segue {

caf::result<generation_status> manager_state::on(const cancel_generation& x) {
  if (!resumed_)
    return not_resumed();
  if (auto row = queue_.take(x.request_id)) {
    row->decided = generation_state::cancelled; // it begins with its end
    run(std::move(*row));
    count();
  }
  if (auto at = live_.find(x.request_id); at != live_.end()) {
    at->second.cancels.push_back(self_->make_response_promise<status_promise>());
    self_->send(at->second.actor, x); // dead: it is told when it is launched again
    return at->second.cancels.back();
  }
  return self_->delegate(catalogue_, find_generation{x.request_id, {}, true});
}

caf::result<generation_purged> manager_state::on(const purge_generation& x) {
  auto promise = self_->make_response_promise<purged_promise>();
  auto failed = [promise](const caf::error& why) mutable { promise.deliver(why); };
  manager_actor me{self_};
  self_->request(me, timeout(), cancel_generation{x.request_id})
      .then([this, promise](generation_status& x) { purge(std::move(x.row), promise); }, failed);
  return promise;
}

/// First the intention, then every trace, then the row: whatever is interrupted is gone on with at the next start.
void manager_state::purge(generation_row row, purged_promise promise) {
  row.state = generation_state::purging;
  self_->request(catalogue_, timeout(), store_generation{row})
      .then([this, row, promise](const generation_status&) { remove_traces(row, promise); },
          [promise](const caf::error& why) mutable { promise.deliver(why); });
}

/// Objects and queued transfers go by a transfer of their own, once the stream is gone; then the streams.
void manager_state::remove_traces(const generation_row& row, purged_promise promise) {
  const auto& id = row.request_id;
  std::vector<std::string> paths{transfers_path(id), events_path(id), audio_path(id)};
  if (!transfers_)
    return remove_streams(id, std::move(paths), promise);
  self_->request(transfers_, timeout(), enqueue_removal{audio_path(id)})
      .then([this, id, paths, promise](const transfer_accepted&) { remove_streams(id, paths, promise); },
          [promise, id](const caf::error& why) mutable {
            log::warning("generation", "purge_failed", id + ": " + to_string(code_of(why)));
            promise.deliver(why);
          });
}

/// The last path first; the row when none is left.
void manager_state::remove_streams(const std::string& id, std::vector<std::string> paths, purged_promise promise) {
  auto failed = [promise, id](const caf::error& why) mutable {
    log::warning("generation", "purge_failed", id + ": " + to_string(code_of(why)));
    promise.deliver(why);
  };
  if (paths.empty()) {
    self_->request(catalogue_, timeout(), erase_generation{id})
        .then(
            [promise, id](const generation_purged& x) mutable {
              log::info("generation", "purged", id);
              promise.deliver(x);
            },
            failed);
    return;
  }
  auto path = std::move(paths.back());
  paths.pop_back();
  self_->request(directory_, timeout(), remove_stream{std::move(path)})
      .then([this, id, paths, promise](const stream_removed&) { remove_streams(id, paths, promise); }, failed);
}

} // namespace segue
