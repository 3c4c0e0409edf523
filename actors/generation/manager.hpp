// The generation manager: the queue, and the generations that run.
#pragma once

#include "actors/generation/generation.hpp"
#include "actors/generation/purge.hpp"
#include "actors/generation/queue.hpp"
#include "actors/supervision.hpp"

#include <map>

namespace segue {

struct manager_options {
  std::string generator;  ///< name of what makes the sound, for new rows
  size_t running = 4;   ///< generations made at the same time
  size_t queued = 1000; ///< waiting beyond those; more are refused with `ec::busy`
  size_t pushed = 1000; ///< open to a producer outside, which costs us next to nothing; likewise
  generation_options each;
};

/// `manager_actor` and the timers it sends to itself.
using manager_impl = manager_actor::extend<reacts_to<resume_queue>, reacts_to<retry_step>, reacts_to<tell_places>>;

class manager_state {
public:
  static inline const char* name = "manager";

  explicit manager_state(manager_impl::pointer self) : self_(self) {}
  ~manager_state();

  void begin(caf::actor parent, directory_actor directory, catalogue_actor catalogue, transfers_actor transfers,
      generator_factory make_generator, manager_options options, metrics& m);

  caf::result<generation_status> on(const start_generation& x);
  caf::result<generation_status> on(const find_generation& x);
  caf::result<generations_listed> on(const list_generations& x);
  caf::result<generation_status> on(const cancel_generation& x);
  caf::result<generation_purged> on(const purge_generation& x);
  void on(const generation_progressed& x);
  void on(const resume_queue&);
  void on(const retry_step&);
  void on(const tell_places&);
  readiness_checked on(const check_readiness&) const { return {resumed_, {}}; }
  caf::result<actor_description> on(const describe_actor&);

private:
  using status_promise = caf::typed_response_promise<generation_status>;

  struct live_generation {
    generation_actor actor;
    generation_row row; ///< newest known
    restart_budget restarts;
    std::vector<status_promise> cancels; ///< answered when it has ended
  };

  // -- accepting
  void accept(generation_row row, status_promise promise);
  void prepare(generation_row row, status_promise promise);

  // -- running
  void resume(uint64_t after);
  void fill();
  size_t pushed() const;
  void run(generation_row row);
  void launch(live_generation& x);
  void stopped(const caf::down_msg& x);
  void remove(const std::string& request_id, const caf::error& why = {});
  void restart(const std::string& request_id);
  void count();
  void tell(const generation_queue::place_change& x);
  void tell_again(const std::string& request_id, uint64_t seq);

  // -- purging
  void purge(generation_row row);
  void purge_stopped(const caf::down_msg& x);

  static caf::error not_resumed() {
    return caf::make_error(ec::unavailable, std::string{"the catalogue is still being read"});
  }

  std::chrono::milliseconds timeout() const { return options_.each.timeout; }

  manager_impl::pointer self_;
  directory_actor directory_;
  catalogue_actor catalogue_;
  transfers_actor transfers_; ///< null: nothing is archived
  generator_factory make_generator_;
  manager_options options_;
  metrics* metrics_ = nullptr;

  bool resumed_ = false; ///< the rows of an earlier life have been read: until then nothing is accepted
  size_t accepting_ = 0; ///< rows on their way into the queue
  generation_queue queue_;
  bool telling_ = false; ///< a timer runs after which changed places are told
  std::map<std::string, live_generation> live_;
  std::map<caf::actor_addr, std::string> ids_; ///< of the live ones
  std::vector<std::string> restarting_;        ///< whose rows could not be read: asked for again
  std::map<std::string, purge_actor> purges_;  ///< of what is being purged, and of what somebody wants purged
  restart_budget purge_restarts_;
};

/// Starts the manager, which takes up what an earlier life left unfinished. It stops when `parent` does.
manager_impl::behavior_type manager(manager_impl::stateful_pointer<manager_state> self, caf::actor parent,
    directory_actor directory, catalogue_actor catalogue, transfers_actor transfers, generator_factory make_generator,
    manager_options options, metrics* m);

} // namespace segue
