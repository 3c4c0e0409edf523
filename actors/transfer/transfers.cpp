#include "actors/transfer/transfers.hpp"

#include "actors/away.hpp"
#include "actors/description.hpp"
#include "actors/log.hpp"
#include "actors/unix_clock.hpp"

#include <algorithm>

namespace segue {

namespace {

constexpr size_t most_changes = 1'000;

/// Whether enough of what it met counts against it. A store that is away says nothing about a piece; and objects that nobody
/// removes would stay for ever.
bool may_die(const transfer_row& x) { return x.kind != transfer_kind::remove && !says_away(x.error); }

} // namespace

void transfers_state::begin(caf::actor parent, transfer_ground ground, transfers_options options, metrics& m) {
  ground_ = std::move(ground);
  options_ = std::move(options);
  metrics_ = &m;
  retries_ = retry_policy{options_.retries, std::hash<std::string>{}(options_.holder)};
  self_->set_down_handler([this, parent = parent.address()](const caf::down_msg& x) {
    if (x.source == parent)
      self_->quit(x.reason);
    else
      stopped(x);
  });
  self_->monitor(parent);
  look();
}

transfers_state::~transfers_state() {
  if (metrics_)
    metrics_->transfers_running.Decrement(static_cast<double>(running_.size()));
}

// -- enqueueing --------------------------------------------------------------------------------------------------------

caf::result<transfer_accepted> transfers_state::on(const enqueue_upload& x) {
  if (!options_.archive)
    return transfer_accepted{}; // pieces stay where they are
  return enqueue(x.path, transfer_kind::upload);
}

caf::result<transfer_accepted> transfers_state::enqueue(const std::string& path, transfer_kind kind) {
  transfer_row row;
  row.path = path;
  row.kind = kind;
  row.created_at_ms = row.changed_at_ms = row.due_at_ms = unix_now_ms(self_->clock());
  auto promise = self_->make_response_promise<accepted_promise>();
  self_->request(ground_.catalogue, options_.each.timeout, insert_transfer{std::move(row)})
      .then(
          [this, promise](const transfer_status& x) mutable {
            promise.deliver(transfer_accepted{x.row.id});
            changed(x.row);
            look_at(x.row.due_at_ms);
          },
          [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

caf::result<transfer_status> transfers_state::on(const retry_transfer& x) {
  auto promise = self_->make_response_promise<caf::typed_response_promise<transfer_status>>();
  self_->request(ground_.catalogue, options_.each.timeout, x)
      .then(
          [this, promise](transfer_status& now) mutable {
            changed(now.row);
            promise.deliver(std::move(now));
            look();
          },
          [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

/// What it has put into the object store so far and nobody will finish goes too.
caf::result<transfer_status> transfers_state::on(const drop_transfer& x) {
  auto promise = self_->make_response_promise<caf::typed_response_promise<transfer_status>>();
  self_->request(ground_.catalogue, options_.each.timeout, x)
      .then(
          [this, promise](transfer_status& dropped) mutable {
            throw_parts_away(dropped.row.path);
            promise.deliver(std::move(dropped));
          },
          [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

/// Whoever purges the piece tries it again, should it fail.
void transfers_state::throw_parts_away(const std::string& path) {
  self_->request(ground_.objects, options_.each.timeout, abort_uploads{bytes_key(path)})
      .then([](const object_put&) {}, [](const caf::error&) {});
}

// -- telling -----------------------------------------------------------------------------------------------------------

caf::result<transfers_listed> transfers_state::on(const await_transfer_changes&) {
  if (who_waits_.pending())
    who_waits_.deliver(transfers_listed{});
  who_waits_ = self_->make_response_promise<changes_promise>();
  auto promise = who_waits_;
  tell_changes();
  return promise;
}

void transfers_state::changed(const transfer_row& now) {
  changes_.push_back(now);
  if (changes_.size() > most_changes)
    changes_.pop_front();
  tell_changes();
}

void transfers_state::tell_changes() {
  if (!who_waits_.pending() || changes_.empty())
    return;
  transfers_listed all;
  all.rows.assign(changes_.begin(), changes_.end());
  changes_.clear();
  who_waits_.deliver(std::move(all));
}

// -- the queue ---------------------------------------------------------------------------------------------------------

void transfers_state::on(const look_for_transfers&) {
  if (self_->clock().now() < next_look_)
    return; // an earlier one has looked, and another timer runs
  next_look_ = time_point::max();
  look();
}

/// Makes sure that it is looked at that time at the latest.
void transfers_state::look_at(int64_t unix_ms) {
  auto now = unix_now_ms(self_->clock());
  if (unix_ms <= now)
    return look();
  auto at = self_->clock().now() + std::chrono::milliseconds{unix_ms - now};
  if (at >= next_look_)
    return;
  next_look_ = at;
  self_->scheduled_send(self_, at, look_for_transfers{});
}

/// Leases as many rows as there are workers free.
void transfers_state::look() {
  if (!options_.working)
    return;
  if (leasing_) {
    look_again_ = true;
    return;
  }
  auto next_look = [this](int64_t at) {
    leasing_ = false;
    look_at(std::exchange(look_again_, false) ? 0 : at);
  };
  auto now = unix_now_ms(self_->clock());
  auto idle = now + options_.look.count();
  if (running_.size() >= options_.workers)
    return; // the next one that ends looks again
  leasing_ = true;
  auto free = static_cast<uint32_t>(options_.workers - running_.size());
  self_->request(ground_.catalogue, options_.each.timeout,
           lease_transfers{options_.holder, now, now + options_.each.lease.count(), free})
      .then(
          [this, free, next_look, idle](transfers_listed& x) {
            for (auto& row : x.rows)
              if (row.attempts > 0 && may_die(row) && !retries_.failed(row.attempts)) // its worker was lost once too often
                store_failure(row, row.error);
              else
                launch(std::move(row));
            if (x.rows.size() < free)
              prune();
            next_look(x.rows.size() < free ? idle : 0);
          },
          [this, next_look](const caf::error&) { next_look(unix_now_ms(self_->clock()) + 1'000); }); // the catalogue host has told why
}

/// Forgets what is done, now and then.
void transfers_state::prune() {
  auto now = unix_now_ms(self_->clock());
  if (now < next_prune_ms_)
    return;
  next_prune_ms_ = now + options_.keep_done.count() / 10;
  self_->request(ground_.catalogue, options_.each.timeout, prune_transfers{now - options_.keep_done.count()})
      .then([](const transfers_listed&) {}, [](const caf::error&) {});
}

void transfers_state::launch(transfer_row row) {
  auto me = caf::actor_cast<caf::actor>(self_);
  auto worker = self_->spawn(transfer, me, row, ground_, options_.each, metrics_);
  self_->monitor(worker);
  metrics_->transfers_running.Increment();
  changed(row);
  running_[worker->address()] = {std::move(row), worker};
}

void transfers_state::stopped(const caf::down_msg& x) {
  auto ended = running_.extract(x.source);
  if (ended.empty())
    return;
  metrics_->transfers_running.Decrement();
  const auto& row = ended.mapped().row;
  auto normal = caf::error{caf::exit_reason::normal};
  if (!x.reason || x.reason == normal) {
    metrics_->transfers_done.Increment();
    log::info("transfer", "step_done", to_string(row.kind) + " " + row.path);
    // What comes next for the piece is due later; somebody may have taken it already.
    self_->request(ground_.catalogue, options_.each.timeout, find_transfer{row.id})
        .then(
            [this](const transfer_status& now) {
              if (now.row.state == transfer_state::waiting)
                look_at(now.row.due_at_ms);
            },
            [](const caf::error&) {});
  } else {
    failed(row, x.reason);
  }
  look();
}

/// The attempt is counted in the row as it is now: it may have got further since it was leased. When the stores come or go, the
/// counting begins anew: it is of failures in a row that mean the same.
void transfers_state::failed(const transfer_row& leased, const caf::error& why) {
  if (code_of(why) == ec::fenced) {
    log::warning("transfer", "lease_lost", to_string(leased.kind) + " " + leased.path + " is somebody else's now");
    return;
  }
  self_->request(ground_.catalogue, options_.each.timeout, find_transfer{leased.id})
      .then(
          [this, leased, why](transfer_status& x) {
            if (x.row.lease != leased.lease || x.row.state != transfer_state::running)
              return;
            x.row.attempts = says_away(x.row.error) == is_away(code_of(why)) ? x.row.attempts + 1 : 1;
            store_failure(std::move(x.row), to_string(code_of(why)) + (detail_of(why).empty() ? "" : ": " + detail_of(why)));
          },
          [](const caf::error&) {}); // gone; or the catalogue is, and the lease will end by itself
}

/// What becomes of a row whose attempts have failed so often.
void transfers_state::store_failure(transfer_row now, std::string why) {
  now.error = std::move(why);
  now.holder.clear();
  now.changed_at_ms = std::max(unix_now_ms(self_->clock()), now.changed_at_ms + 1);
  auto pause = may_die(now) ? retries_.failed(now.attempts) : std::optional{retries_.pause(now.attempts)};
  now.state = pause ? transfer_state::waiting : transfer_state::dead;
  now.due_at_ms = now.changed_at_ms + (pause ? pause->count() : 0);
  (pause ? metrics_->transfers_failed : metrics_->transfers_dead).Increment();
  log::warning("transfer", pause ? "failed" : "dead",
      to_string(now.kind) + " " + now.path + ": " + now.error
          + (pause ? "; tried again in " + std::to_string(pause->count()) + " ms" : "; `segue transfers retry` tries it again"));
  self_->request(ground_.catalogue, options_.each.timeout, store_transfer{now})
      .then([this, again = pause.has_value()](const transfer_status& x) {
        changed(x.row);
        if (again)
          look_at(x.row.due_at_ms);
        else if (x.row.kind == transfer_kind::upload)
          throw_parts_away(x.row.path); // which nobody will finish
      },
          [](const caf::error&) {});
}

// -- the actor ---------------------------------------------------------------------------------------------------------

caf::result<actor_description> transfers_state::on(const describe_actor&) {
  auto promise = self_->make_response_promise<caf::typed_response_promise<actor_description>>();
  std::vector<described_child> children;
  for (auto& [address, x] : running_)
    children.push_back({x.worker, {to_string(x.row.kind) + " " + x.row.path, "", 0, x.row.attempts, {}}});
  auto state = options_.working ? std::to_string(running_.size()) + " running" : "done elsewhere";
  gather_description(self_, promise, {name, state, self_->mailbox().size(), 0, {}}, std::move(children));
  return promise;
}

transfers_impl::behavior_type transfers(transfers_impl::stateful_pointer<transfers_state> self, caf::actor parent,
    transfer_ground ground, transfers_options options, metrics* m) {
  auto& st = self->state;
  st.begin(std::move(parent), std::move(ground), std::move(options), *m);
  return {
      [&st](const enqueue_upload& x) { return st.on(x); },
      [&st](const enqueue_download& x) { return st.on(x); },
      [&st](const enqueue_removal& x) { return st.on(x); },
      [&st](const find_transfer& x) { return st.self()->delegate(st.catalogue(), x); },
      [&st](const list_transfers& x) { return st.self()->delegate(st.catalogue(), x); },
      [&st](const retry_transfer& x) { return st.on(x); },
      [&st](const drop_transfer& x) { return st.on(x); },
      [&st](const await_transfer_changes& x) { return st.on(x); },
      [&st](const transfer_status& x) { return st.on(x); },
      [&st](const look_for_transfers& x) { return st.on(x); },
      [&st](const describe_actor& x) { return st.on(x); },
  };
}

} // namespace segue
