// One transfer, once: a disposable worker. It ends normally when the row says what comes next, and with an error otherwise.
#pragma once

#include "actors/archive.hpp"
#include "actors/bond.hpp"
#include "actors/interfaces.hpp"
#include "actors/metrics.hpp"
#include "actors/sha256.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <functional>

namespace segue {

/// What transfers work with.
struct transfer_ground {
  catalogue_actor catalogue;
  chunk_store_actor chunks;
  object_store_actor objects;
};

struct transfer_options {
  std::chrono::milliseconds lease{30'000};  ///< a worker that is silent for so long has lost its transfer
  std::chrono::milliseconds timeout{60'000}; ///< of one step …
  uint64_t slowest = 16;                     ///< … and 1 ms more for so many bytes that it moves to or from the object store
  uint64_t part_bytes = 8 << 20;             ///< larger pieces are uploaded in parts of this size; 0: always in one
  std::chrono::milliseconds longest_write{900'000}; ///< what was sent to the object store may arrive so much later
  size_t manifest_bytes = longest_manifest;  ///< a piece of more records is not archived
  std::chrono::milliseconds evict_after{0};  ///< how long chunks stay when an object has them
};

/// The steps of one transfer. Every step may be done again: whoever comes after a crash looks first how far it got.
class transfer_worker {
public:
  static inline const char* name = "transfer";

  explicit transfer_worker(transfer_actor::pointer self) : self_(self), to_parent_(self) {}

  void begin(caf::actor parent, transfer_row row, transfer_ground ground, transfer_options options, metrics& m);

  void on(const renew_lease&);
  actor_description on(const describe_actor&) const;

private:
  using next_step = std::function<void()>;

  // -- what every kind does
  template <class Handle, class Request, class Reply>
  void ask(Handle whom, Request what, std::function<void(Reply&)> then, uint64_t bytes = 0);
  template <class Request, class Reply>
  void write_object(Request what, std::function<void(Reply&)> then, uint64_t bytes = 0);
  void record(next_step then);
  void abort_uploads(next_step then);
  void progress(uint64_t bytes, next_step then);
  void leave(transfer_state state);
  void finish() { leave(transfer_state::done); }
  void wait_for_eviction();
  void fail(const caf::error& why) { self_->quit(why); }
  void mark(archive_state from, archive_state to, next_step then);

  // -- upload
  void upload(const stream_row& stream);
  void read_piece();
  void send_part(next_step then);
  void finish_object();
  void verify(position at);
  void put_manifest();

  // -- the others
  void evict(const stream_row& stream);
  void look_and_evict();
  void download(const stream_row& stream);
  void restore(position at);
  void remove(bool stream_is_there);

  transfer_actor::pointer self_;
  bond to_parent_;
  caf::actor parent_; ///< is told each step
  transfer_row row_;
  transfer_ground ground_;
  transfer_options options_;
  metrics* metrics_ = nullptr;
  caf::actor_clock::time_point leased_until_; ///< as far as is known here

  // -- the piece
  stream_row stream_;
  manifest manifest_;
  sha256 sum_;
  std::string part_;      ///< what the next part will be
  std::string upload_id_; ///< of an object in parts
  std::vector<std::string> tags_;
};

/// Starts the worker of a leased row. It stops when its parent does.
transfer_actor::behavior_type transfer(transfer_actor::stateful_pointer<transfer_worker> self, caf::actor parent,
    transfer_row row, transfer_ground ground, transfer_options options, metrics* m);

} // namespace segue
