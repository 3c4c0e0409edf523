// What is said about streams: to the store, to the stream, to the directory.
#pragma once

#include "actors/chunk.hpp"
#include "actors/ids.hpp"
#include "actors/messages/inspect.hpp"
#include "actors/payload.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace segue {

// -- the log: rows -----------------------------------------------------------------------------------------------------

/// Identifies one append of one producer. An empty id means: no producer.
struct producer_tag {
  std::string id;
  uint64_t epoch = 0; ///< attempt; a higher one fences all lower ones
  uint64_t seq = 0;   ///< 0, 1, 2 … within an epoch

  friend bool operator==(const producer_tag&, const producer_tag&) = default;
};

/// Who holds the bytes of a fork up to a position: the stream they were appended to.
struct ancestor {
  stream_id id = 0;
  position until = 0;

  friend bool operator==(const ancestor&, const ancestor&) = default;
};

/// Whether an object keeps the bytes of a finished stream.
enum class archive_state : uint8_t {
  none,
  stored,  ///< an object has them as well
  evicted, ///< an object alone has them
};

/// Everything a store knows of a stream but its chunks and producers.
struct stream_row {
  stream_id id = 0;
  std::string path;
  std::string content_type;
  position tail = 0;
  bool closed = false;
  producer_tag closed_by;      ///< the append that closed it, so that its repetition is recognised
  std::string stream_seq;      ///< last accepted `Stream-Seq`
  int64_t ttl_s = -1;          ///< seconds without use until it expires; -1: never
  int64_t expires_at_ms = 0;   ///< absolute expiry; 0: never
  stream_id parent = 0;        ///< the stream it was forked from; 0: none
  std::string forked_from;     ///< its path at that time
  position fork_position = 0;  ///< where the parent's bytes end
  std::vector<ancestor> lineage; ///< who holds the bytes before `fork_position`, in order
  uint32_t forks = 0;          ///< streams that were forked from it and are still there
  bool soft_deleted = false;   ///< gone for clients, kept for its forks
  uint64_t owner_epoch = 0;    ///< raised by every claim; writes of lower epochs are refused
  int64_t created_at_ms = 0;
  archive_state archive = archive_state::none;
  std::string user_id;         ///< whose it is; empty: of whoever may use the tenant

  friend bool operator==(const stream_row&, const stream_row&) = default;
};

// -- the log: store host -------------------------------------------------------------------------------------------------

/// Where a fork begins: at the tail its parent has when it is made.
inline constexpr position at_tail = UINT64_MAX;

/// A stream as it is to be created.
struct stream_wish {
  std::string path;
  std::string content_type;
  int64_t ttl_s = -1;           ///< as in `stream_row`
  int64_t expires_at_ms = 0;
  std::string forked_from;      ///< path of an existing stream; empty: not a fork
  position fork_position = at_tail;
  payload first;                ///< its first record, or the first of its own; empty: none
  std::vector<uint32_t> lengths; ///< JSON message sizes in it
  bool close = false;           ///< it is closed from the beginning
  std::string user_id;          ///< as in `stream_row`
};

/// Creates the stream unless the path exists. Reply: `stream_written`, with the row that is there, whatever it is like; a
/// fork is `ec::not_found` without its parent, `ec::conflict` when that was deleted or has another type, `ec::bad_offset`
/// when it is shorter.
struct create_stream {
  stream_wish wish;
  int64_t now_ms = 0;
  uint64_t most = UINT64_MAX;       ///< streams of applications there may be; else `ec::busy`
  uint64_t most_bytes = UINT64_MAX; ///< in one of them; else `ec::too_large`
};

/// Raises the owner epoch: every write queued before is decided, every later write of a former owner is refused.
/// Reply: `stream_written` with the producers.
struct claim_stream {
  std::string path;
};

/// Appends records and state in one atomic write, if epoch and tail are as expected. Reply: `stream_written`.
struct put_chunks {
  stream_id id = 0;
  uint64_t owner_epoch = 0;
  position expected_tail = 0;
  std::vector<chunk> chunks;            ///< consecutive, the first at `expected_tail`; may be empty when closing
  std::vector<producer_tag> producers;  ///< their newest state, each producer once
  std::string stream_seq;               ///< empty: unchanged
  bool close = false;
  producer_tag closed_by;
};

/// Removes the stream, its chunks and producers; if there are forks of it, it stays for them, as `soft_deleted`, and goes
/// with the last. Deleting what is not there succeeds. Reply: `stream_written` with the row as it was.
struct delete_stream {
  std::string path;
};

/// Records that the archive of a closed stream went from one state to the next; `evicted` removes its chunks. `ec::conflict`
/// when it is in neither, or not closed. Reply: `stream_written`.
struct mark_archive {
  stream_id id = 0;
  archive_state from = archive_state::none;
  archive_state to = archive_state::none;
};

/// Puts records of an evicted stream back where they were, as often as need be; does nothing when it is not evicted.
/// Reply: `stream_written`.
struct restore_chunks {
  stream_id id = 0;
  std::vector<chunk> chunks; ///< in order, behind those that were restored before
};

/// A write is durable; the row as it is now.
struct stream_written {
  stream_row row;
  bool created = false;
  std::vector<producer_tag> producers; ///< only after a claim
};

/// Reads a row. Reply: `stream_loaded`, or `ec::not_found`.
struct load_stream {
  std::string path;
};

struct stream_loaded {
  stream_row row;
};

/// Reads the rows of streams that expire some day, above an id. Reply: `streams_listed`.
struct list_expiring {
  stream_id above = 0;
  uint32_t limit = 0;
};

struct streams_listed {
  std::vector<stream_row> rows; ///< in the order of their ids; fewer than asked: these are the last
};

/// Reads records from `after` on, at least one and at most about `limit` bytes, from whoever of the holders has them.
/// `tail` and `closed` are what the stream knew when it passed the request on, and become part of the reply. Reply:
/// `chunk_batch`.
struct load_chunks {
  std::vector<ancestor> holders; ///< in order; the last one is the stream itself, until its tail
  position after = 0;
  uint64_t limit = 0;
  position tail = 0;
  bool closed = false;
  bool joined = false; ///< as in `read_chunks`
};

// -- the log: stream -----------------------------------------------------------------------------------------------------

inline constexpr position anywhere = UINT64_MAX;

/// Appends one record, or closes, or both. The reply `chunk_appended` comes once it is durable.
struct append_chunk {
  payload bytes;                 ///< may be empty only when closing
  std::vector<uint32_t> lengths; ///< JSON message sizes, see `chunk`
  std::string content_type;      ///< must be the stream's; empty: not checked
  producer_tag producer;
  std::string stream_seq;        ///< must be greater than the last one; empty: none
  bool close = false;
  position at = anywhere;        ///< where it must begin, else `ec::conflict`; anywhere: at the tail
};

struct chunk_appended {
  position next = 0;       ///< tail after this append
  bool duplicate = false;  ///< it had been accepted before; nothing was stored now
  bool closed = false;
  uint64_t producer_seq = 0; ///< highest accepted sequence number of this producer
};

/// Reads what lies at and after a position. Reply: `chunk_batch`; at the tail it comes after `wait_ms` at the latest.
struct read_chunks {
  position after = 0;
  uint64_t limit = 0;    ///< about so many bytes, at least one record
  uint32_t wait_ms = 0;  ///< 0: answer at once; at most 30,000, and half the time to live of the stream
  bool joined = false;   ///< where records end does not matter: those without messages may come as one that lie side by side in memory
};

struct chunk_batch {
  std::vector<chunk> chunks; ///< the first one begins exactly at the position asked for
  position next = 0;         ///< where to read on
  position tail = 0;         ///< the durable end of the stream when this was answered
  bool closed = false;       ///< the stream is closed and `tail` is final

  bool up_to_date() const { return next == tail; }
};

/// What a stream is, without its bytes. Reply: `stream_loaded`. `settled`: once every earlier write is decided, also one of a
/// former owner; who goes on where another one stopped wants to know that.
struct inspect_stream {
  bool settled = false;
};

/// Asked by an idle stream. True: the directory has forgotten it, it may stop. Reply: `retirement_decided`.
struct may_retire {
  std::string path;
  int64_t expires_in_ms = -1; ///< unless it is used; -1: never
};

/// Told by a stream whose time is over: it takes nothing any more and is to be removed.
struct stream_expired {
  std::string path;
};

/// Told by a stream that is read and was archived: what it holds may be wanted in the chunk store again.
struct archive_played {
  std::string path;
};

struct retirement_decided {
  bool granted = false;
};

// -- the log: directory --------------------------------------------------------------------------------------------------

/// Creates the stream or finds it, if it has the same content type; in what else it differs from the wish is for the asker to
/// see. Reply: `stream_opened`, or the errors of `create_stream`.
struct open_stream {
  stream_wish wish;
};

/// Reply: `stream_opened`; `ec::not_found`, or `ec::gone` when it was deleted but has forks.
struct find_stream {
  std::string path;
};

/// Ends and deletes the stream; succeeds when there is none. Reply: `stream_removed`.
struct remove_stream {
  std::string path;
};

struct stream_removed {};

// -- inspection ---------------------------------------------------------------------------------------------------------

SEGUE_INSPECT(producer_tag, x.id, x.epoch, x.seq)
SEGUE_INSPECT(ancestor, x.id, x.until)
SEGUE_INSPECT(stream_row, x.id, x.path, x.content_type, x.tail, x.closed, x.closed_by, x.stream_seq, x.ttl_s,
    x.expires_at_ms, x.parent, x.forked_from, x.fork_position, x.lineage, x.forks, x.soft_deleted, x.owner_epoch,
    x.created_at_ms, x.archive, x.user_id)
SEGUE_INSPECT(stream_wish, x.path, x.content_type, x.ttl_s, x.expires_at_ms, x.forked_from, x.fork_position, x.first,
    x.lengths, x.close, x.user_id)
SEGUE_INSPECT(create_stream, x.wish, x.now_ms, x.most, x.most_bytes)
SEGUE_INSPECT(claim_stream, x.path)
SEGUE_INSPECT(put_chunks, x.id, x.owner_epoch, x.expected_tail, x.chunks, x.producers, x.stream_seq, x.close,
    x.closed_by)
SEGUE_INSPECT(delete_stream, x.path)
SEGUE_INSPECT(mark_archive, x.id, x.from, x.to)
SEGUE_INSPECT(restore_chunks, x.id, x.chunks)
SEGUE_INSPECT(stream_written, x.row, x.created, x.producers)
SEGUE_INSPECT(load_stream, x.path)
SEGUE_INSPECT(stream_loaded, x.row)
SEGUE_INSPECT(list_expiring, x.above, x.limit)
SEGUE_INSPECT(streams_listed, x.rows)
SEGUE_INSPECT(load_chunks, x.holders, x.after, x.limit, x.tail, x.closed, x.joined)
SEGUE_INSPECT(append_chunk, x.bytes, x.lengths, x.content_type, x.producer, x.stream_seq, x.close, x.at)
SEGUE_INSPECT(chunk_appended, x.next, x.duplicate, x.closed, x.producer_seq)
SEGUE_INSPECT(read_chunks, x.after, x.limit, x.wait_ms, x.joined)
SEGUE_INSPECT(chunk_batch, x.chunks, x.next, x.tail, x.closed)
SEGUE_INSPECT(inspect_stream, x.settled)
SEGUE_INSPECT(may_retire, x.path, x.expires_in_ms)
SEGUE_INSPECT(stream_expired, x.path)
SEGUE_INSPECT(archive_played, x.path)
SEGUE_INSPECT(retirement_decided, x.granted)
SEGUE_INSPECT(open_stream, x.wish)
SEGUE_INSPECT(find_stream, x.path)
SEGUE_INSPECT(remove_stream, x.path)
SEGUE_INSPECT(stream_removed)

} // namespace segue
