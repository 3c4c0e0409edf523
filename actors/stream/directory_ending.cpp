// The half of the directory that lets streams end: because they are idle, removed, expired, or dead.
#include "actors/stream/directory.hpp"

#include "actors/log.hpp"

namespace segue {

// -- ending ------------------------------------------------------------------------------------------------------------

retirement_decided directory_state::on(const may_retire& x) {
  auto at = entries_.find(x.path);
  if (at == entries_.end() || at->second.now != entry::phase::live || self_->current_sender() != at->second.stream)
    return {false};
  at->second.now = entry::phase::stopping; // the successor opens on its DOWN
  if (x.expires_in_ms >= 0)
    at->second.deadline = self_->clock().now() + std::chrono::milliseconds{x.expires_in_ms};
  return {true};
}

void directory_state::on(const stream_expired& x) {
  auto at = entries_.find(x.path);
  if (at == entries_.end() || at->second.now != entry::phase::live || self_->current_sender() != at->second.stream)
    return;
  at->second.deadline = self_->clock().now();
  stop(at->second);
}

caf::result<stream_removed> directory_state::on(const remove_stream& x) {
  auto [at, fresh] = entries_.try_emplace(x.path);
  auto& e = at->second;
  if (e.waiters() >= options_.parked_readers)
    return too_many_wait();
  auto promise = self_->make_response_promise<removed_promise>();
  e.removers.push_back(promise);
  if (fresh)
    remove(x.path);
  else if (e.now == entry::phase::live)
    stop(e);
  return promise;
}

/// It is removed when it has ended: who waits for it may as well ask again.
void directory_state::stop(entry& e) {
  e.now = entry::phase::stopping;
  self_->send_exit(e.stream, caf::make_error(ec::moved));
}

void directory_state::stopped(const caf::down_msg& x) {
  auto known = paths_.find(x.source);
  if (known == paths_.end())
    return;
  auto path = known->second;
  paths_.erase(known);
  auto& e = entries_[path];
  if (e.now == entry::phase::live) {
    metrics_->restarts.Increment();
    log::warning("directory", "stream_died", path + ": " + caf::to_string(x.reason));
  }
  auto now = self_->clock().now();
  if (e.deadline == expiry::never) // it has not told when
    e.deadline = expiry{e.row, now, unix_now_ms()}.deadline();
  if (!e.removers.empty() || e.deadline <= now)
    return remove(path);
  watch(path, e.deadline);
  vacate(path);
}

/// Should it fail, the stream expires as if nobody had tried; one whose time is over stays so, and is tried again later.
void directory_state::remove(const std::string& path) {
  auto& e = entries_[path];
  e.now = entry::phase::deleting;
  e.deadline = std::min(e.deadline, expiries_.deadline(path));
  expiries_.forget(path);
  auto settle = [this, path](const caf::error* why) {
    auto& e = entries_[path];
    if (why)
      watch(path, e.deadline, self_->clock().now() + options_.store_timeout);
    for (auto& promise : std::exchange(e.removers, {}))
      if (why)
        promise.deliver(*why);
      else
        promise.deliver(stream_removed{});
    for (auto& x : why ? std::exchange(e.waiting, {}) : std::vector<waiting_request>{})
      x.promise.deliver(*why);
    vacate(path);
  };
  self_->request(store_, caf::infinite, delete_stream{path})
      .then([settle](const stream_written&) { settle(nullptr); }, [settle](const caf::error& why) { settle(&why); });
}

/// Nothing lives at this path any more; those who wait begin anew.
void directory_state::vacate(const std::string& path) {
  auto& e = entries_[path];
  e.stream = nullptr;
  e.deadline = expiry::never;
  if (e.waiting.empty())
    entries_.erase(path);
  else
    begin(path);
}

// -- expiring -----------------------------------------------------------------------------------------------------------

/// Asks the store once which streams expire some day. A restart gives each that lives from its use a whole life.
void directory_state::load_expiries(stream_id above) {
  constexpr uint32_t page = 1'000;
  self_->request(store_, options_.store_timeout, list_expiring{above, page})
      .then(
          [this](const streams_listed& x) {
            for (const auto& row : x.rows)
              if (!row.soft_deleted && !entries_.contains(row.path))
                watch(row.path, expiry{row, self_->clock().now(), unix_now_ms()}.deadline());
            if (x.rows.size() == page)
              load_expiries(x.rows.back().id);
          },
          [this, above](const caf::error& why) {
            log::warning("directory", "listing_failed", to_string(code_of(why)) + " " + detail_of(why));
            list_again_ = above;
            expire_at(self_->clock().now() + options_.store_timeout);
          });
}

/// Of a stream that nobody has open.
void directory_state::watch(const std::string& path, expiry::time_point deadline, expiry::time_point earliest) {
  expiries_.set(path, deadline, earliest);
  expire_at(expiries_.next());
}

/// A timer that is no longer the next one runs out without effect.
void directory_state::expire_at(expiry::time_point deadline) {
  if (deadline >= next_expiry_)
    return;
  next_expiry_ = deadline;
  self_->scheduled_send(self_, deadline, check_expiry{});
}

void directory_state::on(const check_expiry&) {
  auto now = self_->clock().now();
  if (now < next_expiry_)
    return;
  next_expiry_ = expiry::never;
  if (auto above = std::exchange(list_again_, std::nullopt))
    load_expiries(*above);
  for (const auto& path : expiries_.take_over(now))
    if (auto [at, fresh] = entries_.try_emplace(path); fresh) {
      at->second.deadline = now;
      remove(path);
    } else { // it is being opened
      watch(path, now, now + options_.store_timeout);
    }
  expire_at(expiries_.next());
}

} // namespace segue
