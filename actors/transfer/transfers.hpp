// The transfers: input and retry queue are rows of the catalogue, leased by whoever has a worker free.
#pragma once

#include "actors/supervision.hpp"
#include "actors/transfer/retry_policy.hpp"
#include "actors/transfer/transfer.hpp"

#include <deque>
#include <map>

namespace segue {

struct transfers_options {
  transfer_options each;
  retry_limits retries;
  std::string holder;  ///< names this process to others
  size_t workers = 2;  ///< transfers at the same time
  bool working = true; ///< false: other processes do the work, this one only enqueues
  bool archive = false; ///< finished pieces are uploaded, and their chunks evicted after a while
  std::chrono::milliseconds look{60'000}; ///< for rows that somebody else has put there, or whose time has come
  std::chrono::milliseconds keep_done{3'600'000}; ///< to be seen
};

/// `transfers_actor`, the timer it sends to itself, and what its workers tell it.
using transfers_impl = transfers_actor::extend<reacts_to<look_for_transfers>, reacts_to<transfer_status>>;

class transfers_state {
public:
  static inline const char* name = "transfers";

  explicit transfers_state(transfers_impl::pointer self) : self_(self) {}
  ~transfers_state();

  void begin(caf::actor parent, transfer_ground ground, transfers_options options, metrics& m);

  caf::result<transfer_accepted> on(const enqueue_upload& x);
  caf::result<transfer_accepted> on(const enqueue_download& x) { return enqueue(x.path, transfer_kind::download); }
  caf::result<transfer_accepted> on(const enqueue_removal& x) { return enqueue(x.path, transfer_kind::remove); }
  caf::result<transfer_status> on(const retry_transfer& x);
  caf::result<transfer_status> on(const drop_transfer& x);
  caf::result<transfers_listed> on(const await_transfer_changes&);
  void on(const look_for_transfers&);
  void on(const transfer_status& x) { changed(x.row); }
  caf::result<actor_description> on(const describe_actor&);

  const catalogue_actor& catalogue() const { return ground_.catalogue; }
  transfers_impl::pointer self() const { return self_; }

private:
  using time_point = caf::actor_clock::time_point;
  using changes_promise = caf::typed_response_promise<transfers_listed>;
  using accepted_promise = caf::typed_response_promise<transfer_accepted>;

  struct running_transfer {
    transfer_row row; ///< as it was leased
    transfer_actor worker;
  };

  caf::result<transfer_accepted> enqueue(const std::string& path, transfer_kind kind);
  void look();
  void look_at(int64_t unix_ms);
  void prune();
  void launch(transfer_row row);
  void stopped(const caf::down_msg& x);
  void failed(const transfer_row& leased, const caf::error& why);
  void changed(const transfer_row& now);
  void tell_changes();
  void store_failure(transfer_row now, std::string why);
  void throw_parts_away(const std::string& path);

  transfers_impl::pointer self_;
  transfer_ground ground_;
  transfers_options options_;
  metrics* metrics_ = nullptr;
  retry_policy retries_;
  std::map<caf::actor_addr, running_transfer> running_;
  std::deque<transfer_row> changes_; ///< not told yet; the oldest are dropped, as the rows themselves can be looked at
  changes_promise who_waits_;        ///< for changes
  bool leasing_ = false;     ///< a question is under way
  bool look_again_ = false;  ///< something was enqueued meanwhile
  int64_t next_prune_ms_ = 0;
  time_point next_look_ = time_point::max(); ///< when the timer runs out that counts
};

/// Starts the transfers. They stop when `parent` does, and their workers with them.
transfers_impl::behavior_type transfers(transfers_impl::stateful_pointer<transfers_state> self, caf::actor parent,
    transfer_ground ground, transfers_options options, metrics* m);

} // namespace segue
