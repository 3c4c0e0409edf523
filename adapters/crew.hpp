// The threads of a host: one that writes, N that read, so that a read never waits behind a sync. Starts again what dies.
#pragma once

#include "actors/description.hpp"
#include "actors/log.hpp"
#include "actors/metrics.hpp"
#include "actors/supervision.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <functional>

namespace segue {

/// One actor of a host.
template <class Behaviour, class... Arguments>
auto spawn_as(bool own_thread, caf::local_actor* self, Behaviour behaviour, Arguments... arguments) {
  return own_thread ? self->spawn<caf::detached>(behaviour, std::move(arguments)...)
                    : self->spawn(behaviour, std::move(arguments)...);
}

/// `Host` passes each request on to its writer or to the next of its readers.
template <class Host, class Writer, class Reader>
class crew {
public:
  crew(typename Host::pointer self, const char* name) : self_(self), name_(name) {}

  ~crew() {
    self_->send_exit(writer_, caf::exit_reason::user_shutdown);
    for (auto& x : readers_)
      self_->send_exit(x, caf::exit_reason::user_shutdown);
  }

  void start(std::function<Writer()> make_writer, std::function<Reader()> make_reader, size_t readers, metrics& m) {
    make_writer_ = std::move(make_writer);
    make_reader_ = std::move(make_reader);
    metrics_ = &m;
    writer_ = watched(make_writer_());
    for (size_t i = 0; i < std::max<size_t>(readers, 1); ++i)
      readers_.push_back(watched(make_reader_()));
    self_->set_down_handler([this](const caf::down_msg& x) { restart(x); });
  }

  template <class Request>
  auto write(Request x) {
    return self_->delegate(writer_, std::move(x));
  }

  template <class Request>
  auto read(const Request& x) {
    return self_->delegate(readers_[next_++ % readers_.size()], x);
  }

  /// By the reader that also had what else was asked of this key: what one has found another does not look for meanwhile.
  template <class Request>
  auto read(const Request& x, uint64_t key) {
    return self_->delegate(readers_[key % readers_.size()], x);
  }

  caf::result<actor_description> describe() {
    auto promise = self_->template make_response_promise<caf::typed_response_promise<actor_description>>();
    std::vector<described_child> children{{writer_, {"writer", "", 0, restarts_.total(), {}}}};
    for (auto& x : readers_)
      children.push_back({x, {"reader", "", 0, 0, {}}});
    gather_description(self_, promise, {name_, "ready", self_->mailbox().size(), 0, {}}, std::move(children));
    return promise;
  }

private:
  template <class Handle>
  Handle watched(Handle x) {
    self_->monitor(x);
    return x;
  }

  void restart(const caf::down_msg& x) {
    if (!restarts_.allow(restart_budget::clock::now())) {
      self_->quit(x.reason);
      return;
    }
    metrics_->restarts.Increment();
    log::error("host", "thread_died", "restarting: " + caf::to_string(x.reason));
    if (writer_.address() == x.source)
      writer_ = watched(make_writer_());
    for (auto& r : readers_)
      if (r.address() == x.source)
        r = watched(make_reader_());
  }

  typename Host::pointer self_;
  const char* name_;
  std::function<Writer()> make_writer_;
  std::function<Reader()> make_reader_;
  metrics* metrics_ = nullptr;
  Writer writer_;
  std::vector<Reader> readers_;
  size_t next_ = 0;
  restart_budget restarts_;
};

} // namespace segue
