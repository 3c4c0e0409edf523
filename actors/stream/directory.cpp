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

void directory_state::open(caf::actor parent, chunk_store_actor store, stream_options options, metrics& m) {
  store_ = std::move(store);
  options_ = options;
  metrics_ = &m;
  self_->set_down_handler([this, parent = parent.address()](const caf::down_msg& x) {
    if (x.source == parent)
      self_->quit(x.reason);
    else
      stopped(x);
  });
  self_->monitor(parent);
}

directory_state::~directory_state() {
  for (auto& [path, e] : entries_) {
    for (auto& x : e.waiting)
      x.promise.deliver(stopped_error());
    for (auto& x : e.removers)
      x.deliver(stopped_error());
  }
}

// -- finding and creating ----------------------------------------------------------------------------------------------

caf::result<stream_opened> directory_state::on(const open_stream& x) { return enter(x.path, x.content_type); }

caf::result<stream_opened> directory_state::on(const find_stream& x) { return enter(x.path, {}); }

caf::result<stream_opened> directory_state::enter(const std::string& path, const std::string& content_type) {
  auto [at, fresh] = entries_.try_emplace(path);
  waiting_request request{content_type, self_->make_response_promise<opened_promise>()};
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

void directory_state::answer(const entry& e, waiting_request& x, bool created) {
  if (!x.content_type.empty() && x.content_type != e.row.content_type)
    x.promise.deliver(caf::make_error(ec::conflict, "the stream exists with type " + e.row.content_type));
  else
    x.promise.deliver(stream_opened{e.stream, e.row, created});
}

/// Looks the path up in the store, or creates it there when one of those who wait wants it created.
void directory_state::begin(const std::string& path) {
  auto& e = entries_[path];
  e.now = entry::phase::opening;
  auto creator = std::find_if(e.waiting.begin(), e.waiting.end(), [](auto& x) { return !x.content_type.empty(); });
  auto failed = [this, path](const caf::error& why) { missing(path, why); };
  if (creator != e.waiting.end())
    self_->request(store_, options_.store_timeout, create_stream{path, creator->content_type, unix_now_ms()})
        .then([this, path](stream_written& x) { start(path, std::move(x)); }, failed);
  else
    self_->request(store_, options_.store_timeout, load_stream{path})
        .then([this, path](stream_loaded& x) { start(path, {std::move(x.row), false, {}}); }, failed);
}

void directory_state::missing(const std::string& path, const caf::error& why) {
  auto& e = entries_[path];
  bool absent = code_of(why) == ec::not_found;
  std::erase_if(e.waiting, [&](waiting_request& x) {
    if (absent && !x.content_type.empty())
      return false; // came while a find was under way: it is created next
    x.promise.deliver(absent ? caf::make_error(ec::not_found, "there is no stream " + path) : why);
    return true;
  });
  if (!e.removers.empty())
    remove(path);
  else
    vacate(path);
}

void directory_state::start(const std::string& path, stream_written x) {
  auto& e = entries_[path];
  bool created = x.created;
  e.row = x.row;
  e.stream = self_->spawn(stream, std::move(x), store_, directory_actor{self_}, options_, metrics_);
  e.now = entry::phase::live;
  self_->monitor(e.stream);
  paths_[e.stream->address()] = path;
  for (auto& request : e.waiting) { // the first one that wanted to create it did
    bool creator = created && !request.content_type.empty();
    answer(e, request, creator);
    created = created && !creator;
  }
  e.waiting.clear();
  if (!e.removers.empty())
    stop(e);
}

// -- ending ------------------------------------------------------------------------------------------------------------

retirement_decided directory_state::on(const may_retire& x) {
  auto at = entries_.find(x.path);
  if (at == entries_.end() || at->second.now != entry::phase::live || self_->current_sender() != at->second.stream)
    return {false};
  at->second.now = entry::phase::stopping; // the successor opens on its DOWN
  return {true};
}

caf::result<stream_removed> directory_state::on(const remove_stream& x) {
  auto promise = self_->make_response_promise<removed_promise>();
  auto [at, fresh] = entries_.try_emplace(x.path);
  auto& e = at->second;
  e.removers.push_back(promise);
  if (fresh)
    remove(x.path);
  else if (e.now == entry::phase::live)
    stop(e);
  return promise;
}

void directory_state::stop(entry& e) {
  e.now = entry::phase::stopping;
  self_->send_exit(e.stream, caf::exit_reason::user_shutdown);
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
  if (e.removers.empty())
    vacate(path);
  else
    remove(path);
}

void directory_state::remove(const std::string& path) {
  entries_[path].now = entry::phase::deleting;
  auto settle = [this, path](const caf::error* why) {
    auto& e = entries_[path];
    for (auto& promise : e.removers)
      if (why)
        promise.deliver(*why);
      else
        promise.deliver(stream_removed{});
    e.removers.clear();
    vacate(path);
  };
  self_->request(store_, options_.store_timeout, delete_stream{path})
      .then([settle](const stream_written&) { settle(nullptr); }, [settle](const caf::error& why) { settle(&why); });
}

/// Nothing lives at this path any more; those who wait begin anew.
void directory_state::vacate(const std::string& path) {
  auto& e = entries_[path];
  e.stream = nullptr;
  if (e.waiting.empty())
    entries_.erase(path);
  else
    begin(path);
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
    chunk_store_actor store, stream_options options, metrics* m) {
  auto& st = self->state;
  st.open(std::move(parent), std::move(store), options, *m);
  return {
      [&st](const open_stream& x) { return st.on(x); },
      [&st](const find_stream& x) { return st.on(x); },
      [&st](const remove_stream& x) { return st.on(x); },
      [&st](const may_retire& x) { return st.on(x); },
      [&st](const describe_actor& x) { return st.on(x); },
  };
}

} // namespace segue
