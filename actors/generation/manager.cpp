#include "actors/generation/manager.hpp"

#include "actors/description.hpp"
#include "actors/generation/disowned.hpp"
#include "actors/log.hpp"

#include <algorithm>

namespace segue {

namespace {

constexpr uint32_t resume_page = 500;
constexpr auto resume_pause = std::chrono::milliseconds{500};

bool ended(const generation_row& row) {
  return row.state != generation_state::queued && row.state != generation_state::running;
}

} // namespace

void manager_state::begin(caf::actor parent, directory_actor directory, catalogue_actor catalogue,
    transfers_actor transfers, generator_factory make_generator, manager_options options, metrics& m) {
  directory_ = std::move(directory);
  catalogue_ = std::move(catalogue);
  transfers_ = std::move(transfers);
  make_generator_ = std::move(make_generator);
  options_ = options;
  metrics_ = &m;
  self_->set_down_handler([this, parent = parent.address()](const caf::down_msg& x) {
    if (x.source == parent)
      self_->quit(x.reason);
    else
      stopped(x);
  });
  self_->monitor(parent);
  resume(0);
}

manager_state::~manager_state() {
  if (!metrics_)
    return;
  for (auto& [id, x] : live_)
    for (auto& promise : x.cancels)
      promise.deliver(caf::make_error(ec::unavailable, std::string{"the manager has stopped"}));
  metrics_->generations_queued.Set(0);
  metrics_->generations_running.Set(0);
}

// -- accepting ---------------------------------------------------------------------------------------------------------

caf::result<generation_status> manager_state::on(const start_generation& x) {
  if (!resumed_)
    return not_resumed();
  if (auto open = pushed(); x.pushed && open + accepting_ >= options_.pushed) {
    metrics_->generations_refused.Increment();
    return caf::make_error(ec::busy, std::to_string(open) + " generations are open to their producers already");
  }
  if (!x.pushed && queue_.size() + accepting_ >= options_.queued) {
    metrics_->generations_refused.Increment();
    return caf::make_error(ec::busy, std::to_string(queue_.size()) + " generations are waiting already");
  }
  generation_row row;
  row.request_id = new_uuid();
  row.user_id = x.user_id;
  row.prompt = x.prompt;
  row.duration_s = x.duration_s;
  row.seed = x.seed;
  row.realtime = x.realtime;
  row.generator = x.pushed ? "push" : options_.generator;
  row.producer = x.pushed ? new_uuid() : "";
  row.created_at_ms = unix_now_ms();
  auto promise = self_->make_response_promise<status_promise>();
  auto id = row.request_id;
  ++accepting_;
  self_->request(catalogue_, timeout(), insert_generation{std::move(row)})
      .then(
          [this, promise](generation_status& x) {
            --accepting_;
            accept(std::move(x.row), promise);
          },
          [this, promise, id](const caf::error& why) mutable {
            --accepting_;
            self_->spawn(disown, manager_actor{self_}, catalogue_, id);
            promise.deliver(why);
          });
  return promise;
}

/// The row is durable: from here on the generation will happen. Its streams are made before the reply, so that the
/// URLs in it work at once; should that fail, the generation makes them itself when its turn comes.
void manager_state::accept(generation_row row, status_promise promise) {
  metrics_->generations_accepted.Increment();
  log::info("generation", "accepted", row.request_id);
  prepare(row, promise);
  if (row.producer.empty())
    queue_.push(std::move(row));
  else
    run(std::move(row));
  fill();
}

void manager_state::prepare(generation_row row, status_promise promise) {
  auto reply = [promise, row]() mutable { promise.deliver(generation_status{row}); };
  auto late = [reply](const caf::error&) mutable { reply(); };
  auto wish = [row](std::string path, const char* type) {
    return open_stream{{.path = std::move(path), .content_type = type, .user_id = row.user_id}};
  };
  self_->request(directory_, timeout(), wish(audio_path(row.request_id), "audio/mpeg"))
      .then(
          [this, row, wish, reply, late](const stream_opened&) {
            self_->request(directory_, timeout(), wish(events_path(row.request_id), "application/json"))
                .then([reply](const stream_opened&) mutable { reply(); }, late);
          },
          late);
}

// -- running -----------------------------------------------------------------------------------------------------------

/// Reads the rows an earlier life left unfinished, page by page.
void manager_state::resume(uint64_t after) {
  self_->request(catalogue_, timeout(), list_unfinished{after, resume_page})
      .then(
          [this](generations_listed& x) {
            for (auto& row : x.rows) {
              if (row.state == generation_state::purging)
                purge(row);
              else if (row.producer.empty())
                queue_.push(row);
              else if (!live_.contains(row.request_id))
                run(row);
            }
            if (x.more)
              return resume(x.rows.back().accepted);
            resumed_ = true;
            if (auto unfinished = queue_.size() + live_.size())
              log::info("generation", "resumed", std::to_string(unfinished) + " unfinished generations go on");
            fill();
          },
          [this](const caf::error& why) {
            log::error("generation", "resume_failed", to_string(code_of(why)) + " " + detail_of(why));
            queue_.clear();
            self_->delayed_send(self_, resume_pause, resume_queue{});
          });
}

void manager_state::on(const resume_queue&) { resume(0); }

/// Those that a producer outside makes take nobody's turn.
size_t manager_state::pushed() const {
  return static_cast<size_t>(
      std::count_if(live_.begin(), live_.end(), [](const auto& x) { return !x.second.row.producer.empty(); }));
}

void manager_state::fill() {
  while (resumed_ && !queue_.empty() && live_.size() - pushed() < options_.running)
    run(queue_.pop());
  count();
}

void manager_state::run(generation_row row) {
  auto id = row.request_id;
  auto& x = live_[id];
  x.row = std::move(row);
  launch(x);
}

void manager_state::launch(live_generation& x) {
  generation_context context{self_, directory_, catalogue_, transfers_, make_generator_, options_.each, metrics_};
  x.actor = self_->spawn(generation, x.row, std::move(context));
  self_->monitor(x.actor);
  ids_[x.actor->address()] = x.row.request_id;
  if (!x.cancels.empty())
    self_->send(x.actor, cancel_generation{x.row.request_id});
}

/// It is not live any more: it has ended, or why it could not be brought to its end.
void manager_state::remove(const std::string& request_id, const caf::error& why) {
  auto x = std::move(live_.extract(request_id).mapped());
  for (auto& promise : x.cancels)
    if (why)
      promise.deliver(why);
    else
      promise.deliver(generation_status{x.row});
  fill();
}

void manager_state::on(const generation_progressed& x) {
  if (auto at = live_.find(x.row.request_id); at != live_.end())
    at->second.row = x.row;
}

void manager_state::stopped(const caf::down_msg& x) {
  auto known = ids_.find(x.source);
  if (known == ids_.end())
    return purge_stopped(x);
  auto id = known->second;
  ids_.erase(known);
  if (ended(live_[id].row)) {
    remove(id);
  } else {
    log::error("generation", "died", id + ": " + caf::to_string(x.reason));
    restart(id);
  }
}

/// It stopped before its end: the catalogue says where it was. One that keeps dying is given up, with a durable end.
void manager_state::restart(const std::string& request_id) {
  self_->request(catalogue_, timeout(), find_generation{request_id, {}, true})
      .then(
          [this, request_id](generation_status& found) {
            auto& x = live_[request_id];
            x.row = std::move(found.row);
            if (ended(x.row))
              return remove(request_id);
            if (!x.restarts.allow(restart_budget::clock::now())) {
              if (x.row.decided != generation_state::queued) {
                log::error("generation", "given_up", request_id + ": not even its end; the next start tries again");
                return remove(request_id, caf::make_error(ec::unavailable, std::string{"it cannot be ended now"}));
              }
              x.row.decided = generation_state::failed;
              x.row.reason = "it could not be made, several times in a row";
            }
            metrics_->restarts.Increment();
            launch(x);
          },
          [this, request_id](const caf::error& why) {
            if (code_of(why) == ec::not_found)
              return remove(request_id, why); // purged meanwhile
            log::warning("generation", "restart_failed", request_id + ": " + to_string(code_of(why)) + " " + detail_of(why));
            if (restarting_.empty())
              self_->delayed_send(self_, options_.each.retry, retry_step{});
            restarting_.push_back(request_id);
          });
}

void manager_state::on(const retry_step&) {
  for (const auto& id : std::exchange(restarting_, {}))
    restart(id);
}

// -- finding -----------------------------------------------------------------------------------------------------------

caf::result<generation_status> manager_state::on(const find_generation& x) {
  auto at = live_.find(x.request_id);
  if (at != live_.end() && !ended(at->second.row) && (x.user_id.empty() || x.user_id == at->second.row.user_id))
    return generation_status{at->second.row};
  if (auto row = queue_.find(x.request_id); row && (x.user_id.empty() || x.user_id == row->user_id))
    return generation_status{std::move(*row)};
  return self_->delegate(catalogue_, x);
}

caf::result<generations_listed> manager_state::on(const list_generations& x) {
  auto promise = self_->make_response_promise<caf::typed_response_promise<generations_listed>>();
  self_->request(catalogue_, timeout(), x)
      .then(
          [this, promise](generations_listed& listed) mutable {
            for (auto& row : listed.rows)
              if (auto at = live_.find(row.request_id); at != live_.end() && !ended(row))
                row = at->second.row;
              else if (auto queued = queue_.find(row.request_id))
                row.place = queued->place;
            promise.deliver(std::move(listed));
          },
          [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

// -- the rest ----------------------------------------------------------------------------------------------------------

caf::result<actor_description> manager_state::on(const describe_actor&) {
  auto promise = self_->make_response_promise<caf::typed_response_promise<actor_description>>();
  std::vector<described_child> children;
  for (auto& [id, x] : live_)
    children.push_back({x.actor, {id, to_string(x.row.state), 0, x.restarts.total(), {}}});
  for (auto& [id, x] : purges_)
    children.push_back({x, {"purge of " + id, "", 0, 0, {}}});
  auto state = std::to_string(live_.size()) + " running, " + std::to_string(queue_.size()) + " queued";
  gather_description(
      self_, promise, {name, state, self_->mailbox().size() + queue_.size(), 0, {}}, std::move(children));
  return promise;
}

manager_impl::behavior_type manager(manager_impl::stateful_pointer<manager_state> self, caf::actor parent,
    directory_actor directory, catalogue_actor catalogue, transfers_actor transfers, generator_factory make_generator,
    manager_options options, metrics* m) {
  auto& st = self->state;
  st.begin(std::move(parent), std::move(directory), std::move(catalogue), std::move(transfers), std::move(make_generator),
      std::move(options), *m);
  return {
      [&st](const start_generation& x) { return st.on(x); },
      [&st](const find_generation& x) { return st.on(x); },
      [&st](const list_generations& x) { return st.on(x); },
      [&st](const cancel_generation& x) { return st.on(x); },
      [&st](const purge_generation& x) { return st.on(x); },
      [&st](const generation_progressed& x) { return st.on(x); },
      [&st](const check_readiness& x) { return st.on(x); },
      [&st](const describe_actor& x) { return st.on(x); },
      [&st](const resume_queue& x) { return st.on(x); },
      [&st](const retry_step& x) { return st.on(x); },
      [&st](const tell_places& x) { return st.on(x); },
  };
}

} // namespace segue
