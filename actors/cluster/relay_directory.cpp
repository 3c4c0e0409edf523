#include "actors/cluster/relay_directory.hpp"

#include "actors/description.hpp"

namespace segue {

namespace {

constexpr auto patience = std::chrono::seconds{35}; ///< a little less than the edge waits
constexpr size_t most_described = 100;

} // namespace

void relay_directory_state::begin(std::string tenant, relay_ground ground) {
  tenant_ = std::move(tenant);
  ground_ = std::move(ground);
  self_->set_down_handler([this](const caf::down_msg& x) {
    if (there_ && x.source == there_.address())
      lost();
    else if (auto relay = paths_.find(x.source); relay != paths_.end())
      ended(x.source, paths_.extract(relay).mapped());
  });
}

relay_directory_state::~relay_directory_state() {
  lost();
  for (auto& [path, e] : entries_)
    if (e.relay)
      self_->send_exit(e.relay, caf::exit_reason::user_shutdown);
}

// -- whom it stands for --------------------------------------------------------------------------------------------------------

void relay_directory_state::on(const tenant_services& x) {
  if (there_ == x.directory)
    return;
  if (there_) {
    self_->demonitor(there_.address());
    lost();
  }
  there_ = x.directory;
  if (there_)
    self_->monitor(there_);
}

/// Nobody answers what is under way. The relays hear of their streams themselves.
void relay_directory_state::lost() {
  there_ = nullptr;
  open_.give_up(link_is_down());
}

// -- requests ----------------------------------------------------------------------------------------------------------------

caf::result<stream_opened> relay_directory_state::on(const find_stream& x) {
  auto known = entries_.find(x.path);
  if (known != entries_.end() && known->second.relay)
    return stream_opened{known->second.relay, known->second.row, false};
  if (!there_)
    return link_is_down();
  if (waiting_ >= ground_.limits.readers) {
    ground_.counters->relay_refused.Increment();
    return caf::make_error(ec::busy, std::string{"too many requests wait for the node that was joined"});
  }
  auto& e = entries_[x.path];
  auto promise = self_->make_response_promise<opened_promise>();
  e.waiting.push_back(promise);
  ++waiting_;
  if (e.waiting.size() > 1)
    return promise;
  auto number = open_.add([this, path = x.path](const caf::error& why) { not_found(path, why); });
  self_->request(there_, patience, x)
      .then(
          [this, number, path = x.path](const stream_opened& there) {
            if (open_.remove(number))
              found(path, there);
          },
          [this, number, path = x.path](const caf::error& why) {
            if (open_.remove(number))
              not_found(path, why);
          });
  return promise;
}

/// Passes a request on that brings so many bytes of a stream, and whose reply `done` looks at before it is delivered.
template <class Reply, class Request, class F>
caf::result<Reply> relay_directory_state::pass(const Request& x, size_t bytes, F done) {
  if (!there_)
    return link_is_down();
  if (open_.size() >= ground_.limits.requests || (bytes > 0 && !ground_.link->take(bytes))) {
    ground_.counters->relay_refused.Increment();
    return caf::make_error(ec::busy, std::string{"too many requests wait for the node that was joined"});
  }
  auto promise = self_->make_response_promise<caf::typed_response_promise<Reply>>();
  auto number = open_.add([this, promise, bytes](const caf::error& why) mutable {
    ground_.link->give(bytes);
    promise.deliver(unanswered<Request>(why));
  });
  self_->request(there_, patience, x)
      .then(
          [this, number, promise, bytes, done](Reply& reply) mutable {
            if (open_.remove(number)) {
              ground_.link->give(bytes);
              done(reply);
              promise.deliver(std::move(reply));
            }
          },
          [this, number, promise, bytes](caf::error& why) mutable {
            if (!open_.remove(number))
              return;
            ground_.link->give(bytes);
            promise.deliver(answered<Request>(std::move(why)));
          });
  return promise;
}

caf::result<stream_opened> relay_directory_state::on(const open_stream& x) {
  return pass<stream_opened>(x, x.wish.first.size(), [this](stream_opened& reply) { reply.stream = adopt(reply).relay; });
}

caf::result<stream_removed> relay_directory_state::on(const remove_stream& x) {
  return pass<stream_removed>(x, 0, [this, path = x.path](stream_removed&) { forget(path); });
}

// -- relays ------------------------------------------------------------------------------------------------------------------

void relay_directory_state::found(const std::string& path, const stream_opened& there) {
  auto& e = adopt(there);
  auto waiting = std::exchange(entries_[path].waiting, {});
  waiting_ -= waiting.size();
  for (auto& promise : waiting)
    promise.deliver(stream_opened{e.relay, e.row, false});
}

void relay_directory_state::not_found(const std::string& path, const caf::error& why) {
  auto known = entries_.find(path);
  if (known == entries_.end())
    return;
  auto waiting = std::exchange(known->second.waiting, {});
  waiting_ -= waiting.size();
  if (!known->second.relay)
    entries_.erase(known);
  for (auto& promise : waiting)
    promise.deliver(why);
}

/// The relay of a stream of the owner. One that stands for what was there before goes.
relay_directory_state::entry& relay_directory_state::adopt(const stream_opened& there) {
  auto& e = entries_[there.row.path];
  if (e.relay && e.there == there.stream)
    return e;
  if (e.relay)
    self_->send_exit(e.relay, caf::exit_reason::user_shutdown);
  e.row = there.row;
  e.there = there.stream;
  e.relay = self_->spawn(relay_stream, there, directory_actor{self_}, ground_);
  self_->monitor(e.relay);
  paths_[e.relay.address()] = there.row.path;
  return e;
}

void relay_directory_state::forget(const std::string& path) {
  auto known = entries_.find(path);
  if (known == entries_.end() || !known->second.relay)
    return;
  self_->send_exit(known->second.relay, caf::exit_reason::user_shutdown);
  known->second.relay = nullptr;
  known->second.there = nullptr;
  if (known->second.waiting.empty())
    entries_.erase(known);
}

/// Told by a relay that stands for nothing any more.
void relay_directory_state::on(const stream_expired& x) { ended(caf::actor_cast<caf::actor_addr>(self_->current_sender()), x.path); }

void relay_directory_state::ended(const caf::actor_addr& relay, const std::string& path) {
  auto known = entries_.find(path);
  if (known == entries_.end() || !known->second.relay || known->second.relay.address() != relay)
    return;
  known->second.relay = nullptr;
  known->second.there = nullptr;
  if (known->second.waiting.empty())
    entries_.erase(known);
}

// -- the rest ----------------------------------------------------------------------------------------------------------------

caf::result<actor_description> relay_directory_state::on(const describe_actor&) {
  auto promise = self_->make_response_promise<caf::typed_response_promise<actor_description>>();
  std::vector<described_child> children;
  for (auto& [path, e] : entries_) {
    if (children.size() == most_described)
      break;
    if (e.relay)
      children.push_back({e.relay, {path, "relays", 0, 0, {}}});
  }
  auto state = std::to_string(entries_.size()) + " streams of another node";
  gather_description(self_, promise, {"tenant " + tenant_, state, self_->mailbox().size() + open_.size(), 0, {}}, std::move(children));
  return promise;
}

relay_directory_impl::behavior_type relay_directory(
    relay_directory_impl::stateful_pointer<relay_directory_state> self, std::string tenant, relay_ground ground) {
  auto& st = self->state;
  st.begin(std::move(tenant), std::move(ground));
  return {
      [&st](const open_stream& x) { return st.on(x); },
      [&st](const find_stream& x) { return st.on(x); },
      [&st](const remove_stream& x) { return st.on(x); },
      [](const may_retire&) { return retirement_decided{false}; }, // relays end by themselves
      [&st](const stream_expired& x) { st.on(x); },
      [](const archive_played&) {}, // the owner knows what it archived
      [&st](const describe_actor& x) { return st.on(x); },
      [&st](const tenant_services& x) { st.on(x); },
  };
}

} // namespace segue
