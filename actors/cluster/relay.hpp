// A relay: an actor of this node that stands for one of the node that was joined. It passes requests on, at most so many at a
// time, and knows when nobody will answer any more; who asks it need not know that there is a network.
#pragma once

#include "actors/cluster/credits.hpp"
#include "actors/interfaces.hpp"
#include "actors/lost_answer.hpp"
#include "actors/metrics.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <type_traits>

namespace segue {

/// What every relay of an edge node works with.
struct relay_ground {
  relay_limits limits;
  std::chrono::milliseconds idle{60'000};    ///< the relay of a stream that nobody uses for so long ends
  std::shared_ptr<credits> link;             ///< bytes of appends, of all streams together
  std::shared_ptr<credits> replays;          ///< bytes of what lies behind the ends of streams, likewise: it would keep all else waiting
  metrics* counters = nullptr;
};

/// `Handle` is what it stands for; which actor that is, is told by `tenant_services`, again whenever it changes.
template <class Handle>
using relay_impl = typename Handle::template extend<reacts_to<tenant_services>>;

/// Requests that were passed on and not answered yet.
class passed_on {
public:
  using failure = std::function<void(const caf::error&)>;

  size_t size() const { return open_.size(); }

  uint64_t add(failure x) {
    open_.emplace(++last_, std::move(x));
    return last_;
  }

  /// False: it was given up before.
  bool remove(uint64_t number) { return open_.erase(number) > 0; }

  void give_up(const caf::error& why) {
    for (auto& [number, fail] : std::exchange(open_, {}))
      fail(why);
  }

private:
  std::map<uint64_t, failure> open_;
  uint64_t last_ = 0;
};

inline caf::error link_is_down() { return caf::make_error(ec::unavailable, std::string{"the node that was joined is not reached"}); }

template <class Request, class... Known>
inline constexpr bool is_one_of = (std::is_same_v<Request, Known> || ...);

/// Requests that may have been done when no answer comes.
template <class Request>
inline constexpr bool changes_something = is_one_of<Request, append_chunk, open_stream, remove_stream, start_generation, cancel_generation,
    purge_generation, enqueue_upload, enqueue_download, enqueue_removal, retry_transfer, drop_transfer>;

/// What is said when nobody answers a request that was passed on.
template <class Request>
caf::error unanswered(const caf::error& why) {
  if constexpr (changes_something<Request>)
    return lost_answer();
  else
    return why;
}

/// What is said when the answer is an error: the other node's own word, or none.
template <class Request>
caf::error answered(caf::error why) {
  return why.category() == caf::atom("segue") ? why : unanswered<Request>(why);
}

template <class Handle>
class relay_state {
public:
  static inline const char* name = "relay";
  using pointer = typename relay_impl<Handle>::pointer;

  explicit relay_state(pointer self) : self_(self) {}
  ~relay_state() { open_.give_up(link_is_down()); }

  void begin(relay_ground ground, Handle tenant_services::*which) {
    ground_ = std::move(ground);
    which_ = which;
    self_->set_down_handler([this](const caf::down_msg& x) {
      if (!there_ || x.source != there_.address())
        return;
      there_ = nullptr;
      open_.give_up(link_is_down());
    });
  }

  void on(const tenant_services& x) {
    if (there_ == x.*which_)
      return;
    if (there_)
      self_->demonitor(there_.address());
    open_.give_up(link_is_down()); // whoever was asked is not there any more
    there_ = x.*which_;
    if (there_)
      self_->monitor(there_);
  }

  template <class Reply, class Request>
  caf::result<Reply> pass(const Request& x) {
    if (!there_)
      return link_is_down();
    if (open_.size() >= ground_.limits.requests) {
      ground_.counters->relay_refused.Increment();
      return caf::make_error(ec::busy, std::string{"too many requests wait for the node that was joined"});
    }
    auto promise = self_->template make_response_promise<caf::typed_response_promise<Reply>>();
    auto number = open_.add([promise](const caf::error& why) mutable { promise.deliver(unanswered<Request>(why)); });
    self_->request(there_, timeout, x)
        .then(
            [this, promise, number](Reply& reply) mutable {
              if (open_.remove(number))
                promise.deliver(std::move(reply));
            },
            [this, promise, number](caf::error& why) mutable {
              if (open_.remove(number))
                promise.deliver(answered<Request>(std::move(why)));
            });
    return promise;
  }

private:
  static constexpr auto timeout = std::chrono::seconds{35}; ///< a little less than the edge waits

  pointer self_;
  relay_ground ground_;
  Handle tenant_services::*which_ = nullptr;
  Handle there_; ///< null: nobody
  passed_on open_;
};

/// One handler for each message of an interface.
template <class Handle, class Signature>
struct relayed_message;

template <class Handle, class Request, class Reply>
struct relayed_message<Handle, caf::typed_mpi<caf::detail::type_list<Request>, caf::output_tuple<Reply>>> {
  static auto handler(relay_state<Handle>& st) {
    return [&st](const Request& x) { return st.template pass<Reply>(x); };
  }
};

/// What actors of one node tell each other is not for others.
template <class Handle, class Request>
struct relayed_message<Handle, caf::typed_mpi<caf::detail::type_list<Request>, caf::output_tuple<void>>> {
  static auto handler(relay_state<Handle>&) {
    return [](const Request&) {};
  }
};

template <class Handle, class... Signatures>
typename relay_impl<Handle>::behavior_type relay_behavior(relay_state<Handle>& st, caf::detail::type_list<Signatures...>) {
  return {relayed_message<Handle, Signatures>::handler(st)..., [&st](const tenant_services& x) { st.on(x); }};
}

/// Starts a relay for the member `which` of a tenant's services. It ends when it is told to.
template <class Handle>
typename relay_impl<Handle>::behavior_type relay(
    typename relay_impl<Handle>::template stateful_pointer<relay_state<Handle>> self, relay_ground ground, Handle tenant_services::*which) {
  auto& st = self->state;
  st.begin(std::move(ground), which);
  return relay_behavior<Handle>(st, typename Handle::signatures{});
}

} // namespace segue
