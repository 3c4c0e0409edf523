// What is said about transfers: work that moves finished pieces between the chunk store and the object store.
#pragma once

#include "actors/chunk.hpp"
#include "actors/messages/inspect.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace segue {

/// What is to be done next with a piece.
enum class transfer_kind : uint8_t {
  upload,   ///< chunk store to object store
  evict,    ///< the chunks may go: the object has them
  download, ///< object store to chunk store
  remove,   ///< the object goes, as soon as its stream is gone
};

enum class transfer_state : uint8_t {
  waiting, ///< for its time, and for a worker
  running, ///< leased by a worker
  dead,    ///< failed too often; somebody has to decide
  done,    ///< nothing is left to do; kept for a while, to be seen
};

std::string to_string(transfer_kind kind);
std::string to_string(transfer_state state);

/// One piece, and what is to be done with it: at most one row for each. The queue is these rows.
struct transfer_row {
  uint64_t id = 0;            ///< set by the catalogue
  std::string path;           ///< of the stream
  transfer_kind kind = transfer_kind::upload;
  transfer_state state = transfer_state::waiting;
  uint32_t attempts = 0;      ///< that failed in a row: 0, it is in the input queue; more, in the retry queue
  int64_t due_at_ms = 0;      ///< not before
  std::string holder;         ///< who works on it
  uint64_t lease = 0;         ///< raised whenever it changes hands: a fencing token
  int64_t leased_until_ms = 0;
  uint64_t bytes_done = 0;
  uint64_t bytes_total = 0;
  std::string error;          ///< of the last attempt
  int64_t created_at_ms = 0;
  int64_t changed_at_ms = 0;

  friend bool operator==(const transfer_row&, const transfer_row&) = default;
};

// -- to whoever wants something moved ----------------------------------------------------------------------------------

/// What was enqueued twice is there once. Reply: `transfer_accepted`, once the row is durable.
struct enqueue_upload {
  std::string path;
};
struct enqueue_download {
  std::string path;
};

/// Takes the place of whatever was to be done with the piece. Reply: `transfer_accepted`.
struct enqueue_removal {
  std::string path;
};

struct transfer_accepted {
  uint64_t id = 0;
};

// -- to operators --------------------------------------------------------------------------------------------------------

/// In the order of their ids, above one; of one state, or of all. Reply: `transfers_listed`.
struct list_transfers {
  uint64_t after = 0;
  uint32_t limit = 0;
  bool dead_only = false;
};

struct transfers_listed {
  std::vector<transfer_row> rows;
  bool more = false;
};

/// Reply: `transfer_status`, or `ec::not_found`.
struct find_transfer {
  uint64_t id = 0;
};

struct transfer_status {
  transfer_row row;
};

/// Tries a transfer again at once, with all its attempts. Reply: `transfer_status`; `ec::not_found`; `ec::conflict` when it
/// runs or is done.
struct retry_transfer {
  uint64_t id = 0;
};

/// Forgets a transfer. Reply: `transfer_status` as it was; `ec::not_found`; `ec::conflict` when it runs, or
/// is a removal that is not done: what it would remove would stay for good.
struct drop_transfer {
  uint64_t id = 0;
};

/// What this process has done since it was asked last, each step; waits for the next one. Whoever asks takes the place of who
/// asked before. Reply: `transfers_listed`, in the order of the changes.
struct await_transfer_changes {};

// -- to the catalogue host -----------------------------------------------------------------------------------------------

/// Adds the row unless the path has one that is not done; a removal takes the place of any other kind. Reply:
/// `transfer_status` with the row that is there.
struct insert_transfer {
  transfer_row row; ///< path, kind and times
};

/// Leases rows that are due and nobody's, oldest first. Of one whose lease has ended, that was an attempt which failed. Reply:
/// `transfers_listed`.
struct lease_transfers {
  std::string holder;
  int64_t now_ms = 0;
  int64_t until_ms = 0;
  uint32_t limit = 0;
};

/// Replaces a row if its lease is still this one. Reply: `transfer_status`; `ec::fenced` when somebody else has it now.
struct store_transfer {
  transfer_row row;
};

/// Rows that changed at or after a time, oldest first. Reply: `transfers_listed`.
struct list_changed_transfers {
  int64_t since_ms = 0;
  uint32_t limit = 0;
};

/// Removes rows that are done since before a time. Reply: `transfers_listed`, empty.
struct prune_transfers {
  int64_t before_ms = 0;
};

SEGUE_INSPECT(transfer_row, x.id, x.path, x.kind, x.state, x.attempts, x.due_at_ms, x.holder, x.lease, x.leased_until_ms,
    x.bytes_done, x.bytes_total, x.error, x.created_at_ms, x.changed_at_ms)
SEGUE_INSPECT(enqueue_upload, x.path)
SEGUE_INSPECT(enqueue_download, x.path)
SEGUE_INSPECT(enqueue_removal, x.path)
SEGUE_INSPECT(transfer_accepted, x.id)
SEGUE_INSPECT(list_transfers, x.after, x.limit, x.dead_only)
SEGUE_INSPECT(transfers_listed, x.rows, x.more)
SEGUE_INSPECT(find_transfer, x.id)
SEGUE_INSPECT(transfer_status, x.row)
SEGUE_INSPECT(retry_transfer, x.id)
SEGUE_INSPECT(drop_transfer, x.id)
SEGUE_INSPECT(await_transfer_changes)
SEGUE_INSPECT(insert_transfer, x.row)
SEGUE_INSPECT(lease_transfers, x.holder, x.now_ms, x.until_ms, x.limit)
SEGUE_INSPECT(store_transfer, x.row)
SEGUE_INSPECT(list_changed_transfers, x.since_ms, x.limit)
SEGUE_INSPECT(prune_transfers, x.before_ms)

} // namespace segue
