// Removes one generation and every trace of it, however often that has to be tried.
#pragma once

#include "actors/bond.hpp"
#include "actors/interfaces.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>

namespace segue {

/// What a purge works with.
struct purge_ground {
  manager_actor manager; ///< ends what still runs; the purge stops with it
  directory_actor directory;
  catalogue_actor catalogue;
  transfers_actor transfers; ///< null: nothing is archived
  std::chrono::milliseconds timeout{60'000}; ///< of one step
};

/// Whoever asks is answered when nothing is left; with `ec::unavailable` as soon as a step fails, and it is tried again all
/// the same; with `ec::not_found` when there was nothing.
using purge_actor = caf::typed_actor<                         //
    replies_to<purge_generation>::with<generation_purged>,    //
    reacts_to<retry_step>,                                    //
    replies_to<describe_actor>::with<actor_description>>;

/// First the intention, then every trace, then the row. Every step may be done again.
class purge_state {
public:
  static inline const char* name = "purge";

  explicit purge_state(purge_actor::pointer self) : self_(self), to_manager_(self) {}
  ~purge_state();

  void begin(generation_row row, purge_ground ground);

  caf::result<generation_purged> on(const purge_generation&);
  void on(const retry_step&);
  actor_description on(const describe_actor&) const;

private:
  using purged_promise = caf::typed_response_promise<generation_purged>;

  enum class step {
    cancel,           ///< it makes no sound any more
    mark,             ///< the row says that it is purged: from here on it happens, over restarts too
    hand_over,        ///< objects and queued transfers go by a transfer of their own, once the sound is gone
    remove_audio,
    remove_events,
    remove_transfers, ///< what was told of them
    erase,            ///< the row
    done,
  };
  static const char* to_string(step x);

  void advance();
  void cancel();
  void mark();
  template <class Reply, class Handle, class Request>
  void ask(const Handle& whom, Request what, step next);
  void go_on(step next);
  void failed(const caf::error& why);
  void answer(const caf::error& why);

  purge_actor::pointer self_;
  bond to_manager_;
  purge_ground ground_;
  generation_row row_;
  step next_ = step::cancel;
  bool trying_ = false;  ///< a step is under way
  bool waiting_ = false; ///< a timer runs after which it is tried again
  std::chrono::milliseconds pause_;
  uint64_t failures_ = 0;
  std::vector<purged_promise> who_waits_;
};

/// Starts to purge what the row names; of one that does not say `purging` yet, the request id is enough.
purge_actor::behavior_type purge(
    purge_actor::stateful_pointer<purge_state> self, generation_row row, purge_ground ground);

} // namespace segue
