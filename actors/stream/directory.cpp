#include "actors/stream/directory.hpp"

#include "actors/description.hpp"
#include "actors/log.hpp"

#include <algorithm>

namespace segue {

namespace {

/// How many streams the actor tree shows; there may be tens of thousands.
constexpr size_t most_described = 100;

caf::error stopped_error() { return caf::make_error(ec::unavailable, std::string{"the stream directory has stopped"}); }

} // namespace

void directory_state::open(
    caf::actor parent, chunk_store_actor store, transfers_actor transfers, stream_options options, metrics& m) {
  store_ = std::move(store);
  transfers_ = std::move(transfers);
  options_ = options;
  metrics_ = &m;
  self_->set_down_handler([this, parent = parent.address()](const caf::down_msg& x) {
    if (x.source == parent)
      self_->quit(x.reason);
    else
      stopped(x);
  });
  self_->monitor(parent);
  load_expiries(0);
}

/// Its streams end with it. They do not watch it: each that ever did would leave something behind, as long as it lives.
directory_state::~directory_state() {
  for (auto& [path, e] : entries_) {
    if (e.stream)
      self_->send_exit(e.stream, caf::exit_reason::user_shutdown);
    for (auto& x : e.waiting)
      x.promise.deliver(stopped_error());
    for (auto& x : e.removers)
      x.deliver(stopped_error());
  }
}

// -- finding and creating ----------------------------------------------------------------------------------------------

caf::result<stream_opened> directory_state::on(const open_stream& x) { return enter(x.wish); }

caf::result<stream_opened> directory_state::on(const find_stream& x) {
  stream_wish wish;
  wish.path = x.path;
  return enter(std::move(wish));
}

caf::result<stream_opened> directory_state::enter(stream_wish wish) {
  auto path = wish.path;
  auto [at, fresh] = entries_.try_emplace(path);
  if (at->second.waiters() >= options_.parked_readers)
    return too_many_wait();
  waiting_request request{std::move(wish), self_->make_response_promise<opened_promise>()};
  auto promise = request.promise;
  if (at->second.now == entry::phase::live) {
    answer(at->second, request, false);
  } else {
    at->second.waiting.push_back(std::move(request));
    if (fresh)
      begin(path);
  }
  return promise;
}

caf::error directory_state::too_many_wait() {
  metrics_->reads_refused.Increment();
  return caf::make_error(ec::busy, std::string{"too many requests wait for this stream"});
}

void directory_state::answer(const entry& e, waiting_request& x, bool created) {
  if (x.creates() && x.wish.content_type != e.row.content_type)
    x.promise.deliver(caf::make_error(ec::conflict, "the stream exists with type " + e.row.content_type));
  else
    x.promise.deliver(stream_opened{e.stream, e.row, created});
}

/// It is kept for its forks: nobody reads it, and nobody takes its place.
void directory_state::refuse_deleted(const std::string& path) {
  auto& e = entries_[path];
  for (auto& x : std::exchange(e.waiting, {}))
    if (x.creates())
      x.promise.deliver(caf::make_error(ec::conflict, "the stream " + path + " was deleted, and has forks that are still there"));
    else
      x.promise.deliver(caf::make_error(ec::gone, "the stream " + path + " was deleted", e.row.user_id));
  for (auto& x : std::exchange(e.removers, {}))
    x.deliver(stream_removed{});
  vacate(path);
}

/// Looks the path up in the store, or creates it there when one of those who wait wants it created. However long the store needs
/// to write, it answers or dies; what is given up before would still be done.
void directory_state::begin(const std::string& path) {
  auto& e = entries_[path];
  e.now = entry::phase::opening;
  if (expiries_.deadline(path) <= self_->clock().now())
    return remove(path);
  auto creator = std::find_if(e.waiting.begin(), e.waiting.end(), [](auto& x) { return x.creates(); });
  auto failed = [this, path](const caf::error& why) { missing(path, why); };
  if (creator != e.waiting.end())
    self_->request(store_, caf::infinite, create_stream{creator->wish, unix_now_ms(), options_.streams, options_.most_bytes})
        .then([this, path](stream_written& x) { start(path, std::move(x)); },
            [this, path](const caf::error& why) { cannot_create(path, why); });
  else
    self_->request(store_, options_.store_timeout, load_stream{path})
        .then([this, path](stream_loaded& x) { start(path, {std::move(x.row), false, {}}); }, failed);
}

void directory_state::missing(const std::string& path, const caf::error& why) {
  auto& e = entries_[path];
  bool absent = code_of(why) == ec::not_found;
  std::erase_if(e.waiting, [&](waiting_request& x) {
    if (absent && x.creates())
      return false; // came while a find was under way: it is created next
    x.promise.deliver(absent ? caf::make_error(ec::not_found, "there is no stream " + path) : why);
    return true;
  });
  if (!e.removers.empty())
    remove(path);
  else
    vacate(path);
}

/// The wish itself cannot be met, or nothing can be created now; those who wait behind it may fare better.
void directory_state::cannot_create(const std::string& path, const caf::error& why) {
  auto& e = entries_[path];
  auto code = code_of(why);
  auto reason = code == ec::not_found ? std::string{"the stream it is to be forked from does not exist"}
      : code == ec::conflict          ? "the stream it is to be forked from was deleted or has another type"
      : code == ec::bad_offset        ? "the stream it is to be forked from is shorter"
      : code == ec::too_large         ? "the stream would be too large: it may have " + std::to_string(options_.most_bytes) + " bytes"
      : code == ec::busy              ? "there are too many streams: there may be " + std::to_string(options_.streams) + "; remove some"
                                      : "";
  if (reason.empty())
    return missing(path, why);
  auto told = caf::make_error(code, std::move(reason));
  auto creator = std::find_if(e.waiting.begin(), e.waiting.end(), [&](auto& x) { return x.creates(); });
  creator->promise.deliver(told);
  e.waiting.erase(creator);
  if (!e.removers.empty())
    remove(path);
  else
    vacate(path);
}

void directory_state::start(const std::string& path, stream_written x) {
  auto& e = entries_[path];
  bool created = x.created;
  e.row = x.row;
  if (e.row.soft_deleted)
    return refuse_deleted(path);
  if (!created && e.row.expires_at_ms != 0 && e.row.expires_at_ms <= unix_now_ms()) {
    e.deadline = self_->clock().now();
    return remove(path);
  }
  auto deadline = created ? expiry::never : expiries_.deadline(path);
  expiries_.forget(path);
  e.stream = self_->spawn(stream, std::move(x), deadline, store_, directory_actor{self_}, options_, metrics_);
  e.now = entry::phase::live;
  self_->monitor(e.stream);
  paths_[e.stream->address()] = path;
  for (auto& request : e.waiting) { // the first one that wanted to create it did
    bool creator = created && request.creates();
    answer(e, request, creator);
    created = created && !creator;
  }
  e.waiting.clear();
  if (!e.removers.empty())
    stop(e);
}

void directory_state::on(const archive_played& x) {
  if (transfers_)
    self_->request(transfers_, options_.store_timeout, enqueue_download{x.path})
        .then([](const transfer_accepted&) {}, [](const caf::error&) {}); // the next one who plays it asks again
}

// -- the rest ----------------------------------------------------------------------------------------------------------

caf::result<actor_description> directory_state::on(const describe_actor&) {
  auto promise = self_->make_response_promise<caf::typed_response_promise<actor_description>>();
  std::vector<described_child> children;
  for (auto& [path, e] : entries_) {
    if (children.size() == most_described)
      break;
    if (e.now == entry::phase::live)
      children.push_back({e.stream, {path, "live", 0, 0, {}}});
  }
  auto state = std::to_string(entries_.size()) + " streams";
  gather_description(self_, promise, {name, state, self_->mailbox().size(), 0, {}}, std::move(children));
  return promise;
}

directory_impl::behavior_type directory(directory_impl::stateful_pointer<directory_state> self, caf::actor parent,
    chunk_store_actor store, transfers_actor transfers, stream_options options, metrics* m) {
  auto& st = self->state;
  st.open(std::move(parent), std::move(store), std::move(transfers), options, *m);
  return {
      [&st](const open_stream& x) { return st.on(x); },
      [&st](const find_stream& x) { return st.on(x); },
      [&st](const remove_stream& x) { return st.on(x); },
      [&st](const may_retire& x) { return st.on(x); },
      [&st](const stream_expired& x) { st.on(x); },
      [&st](const archive_played& x) { st.on(x); },
      [&st](const check_expiry& x) { st.on(x); },
      [&st](const describe_actor& x) { return st.on(x); },
  };
}

} // namespace segue
