// Tells the listeners of a piece how its transfers go: rows of the catalogue become events of a stream. What this process does is
// told step by step; of what others do, each row as it is once a second.
#pragma once

#include "actors/bond.hpp"
#include "actors/interfaces.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <deque>
#include <map>

namespace segue {

/// Nobody talks to it; it looks by itself.
using reporter_actor = caf::typed_actor<reacts_to<report_transfers>, replies_to<describe_actor>::with<actor_description>>;

class reporter_state {
public:
  static inline const char* name = "transfer reporter";

  explicit reporter_state(reporter_actor::pointer self) : self_(self), to_parent_(self) {}

  void begin(caf::actor parent, catalogue_actor catalogue, transfers_actor transfers, directory_actor directory);

  void on(const report_transfers&);
  actor_description on(const describe_actor&) const { return {name, "ready", self_->mailbox().size(), 0, {}}; }

private:
  void follow();
  void again();
  void tell(const std::vector<transfer_row>& rows);
  void tell_next();
  void not_told(const transfer_row& row, const caf::error& why);
  void append(const transfer_row& row, const std::string& request_id, const std::string& user_id);
  void check_purge(const std::string& request_id);

  reporter_actor::pointer self_;
  bond to_parent_;
  catalogue_actor catalogue_;
  transfers_actor transfers_;
  directory_actor directory_;
  int64_t since_ms_ = 0;
  std::map<uint64_t, int64_t> told_; ///< id and time of what was told lately
  std::deque<transfer_row> waiting_; ///< to be told, one after the other: the events of a piece have an order
  bool telling_ = false;
};

reporter_actor::behavior_type transfer_reporter(reporter_actor::stateful_pointer<reporter_state> self, caf::actor parent,
    catalogue_actor catalogue, transfers_actor transfers, directory_actor directory);

} // namespace segue
