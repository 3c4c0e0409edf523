// Every message between actors. Requests are `verb_noun`, replies `noun_past`. `interfaces.hpp` says who answers what.
#pragma once

#include "actors/chunk.hpp"
#include "actors/errors.hpp"
#include "actors/ids.hpp"
#include "actors/payload.hpp"

#include <caf/meta/type_name.hpp>

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
  position fork_position = 0;  ///< where the parent's bytes end
  bool soft_deleted = false;   ///< gone for clients, kept for its forks
  uint64_t owner_epoch = 0;    ///< raised by every claim; writes of lower epochs are refused
  int64_t created_at_ms = 0;

  friend bool operator==(const stream_row&, const stream_row&) = default;
};

// -- the log: store host -------------------------------------------------------------------------------------------------

/// Creates the stream unless the path exists. Reply: `stream_written`.
struct create_stream {
  std::string path;
  std::string content_type;
  int64_t now_ms = 0;
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

/// Removes the stream, its chunks and producers. Deleting what is not there succeeds. Reply: `stream_written`.
struct delete_stream {
  std::string path;
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

/// Reads records from `after` on, at least one and at most about `limit` bytes. `tail` and `closed` are what the
/// stream knew when it passed the request on, and become part of the reply. Reply: `chunk_batch`.
struct load_chunks {
  stream_id id = 0;
  position after = 0;
  uint64_t limit = 0;
  position tail = 0;
  bool closed = false;
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
  uint32_t wait_ms = 0;  ///< 0: answer at once; at most 30,000
};

struct chunk_batch {
  std::vector<chunk> chunks; ///< the first one begins exactly at the position asked for
  position next = 0;         ///< where to read on
  position tail = 0;         ///< the durable end of the stream when this was answered
  bool closed = false;       ///< the stream is closed and `tail` is final

  bool up_to_date() const { return next == tail; }
};

/// What a stream is, without its bytes. Reply: `stream_loaded`.
struct inspect_stream {};

/// Asked by an idle stream. True: the directory has forgotten it, it may stop. Reply: `retirement_decided`.
struct may_retire {
  std::string path;
};

struct retirement_decided {
  bool granted = false;
};

// -- the log: directory --------------------------------------------------------------------------------------------------

/// Creates the stream or finds it, if it has the same content type. Reply: `stream_opened`.
struct open_stream {
  std::string path;
  std::string content_type;
};

/// Reply: `stream_opened`, or `ec::not_found`.
struct find_stream {
  std::string path;
};

/// Ends and deletes the stream; succeeds when there is none. Reply: `stream_removed`.
struct remove_stream {
  std::string path;
};

struct stream_removed {};

// -- generations ---------------------------------------------------------------------------------------------------------

enum class generation_state : uint8_t { queued, running, completed, failed, cancelled, purging };

std::string to_string(generation_state state);

/// The row of a generation: the whole request, and the projection of its event stream.
struct generation_row {
  uint64_t accepted = 0; ///< order of acceptance, set by the catalogue
  std::string request_id;
  std::string user_id;
  std::string prompt;
  double duration_s = 0;
  uint64_t seed = 0;
  bool realtime = false; ///< takes as long as the music lasts
  std::string generator;
  std::string generator_version; ///< of the first attempt
  generation_state state = generation_state::queued;
  generation_state decided = generation_state::queued; ///< how it ends, recorded before the ending begins; `queued`: open
  std::string reason;    ///< why it failed
  uint64_t attempt = 0;  ///< times it was started; the producer epoch of its streams
  int64_t created_at_ms = 0;
  int64_t started_at_ms = 0;
  int64_t ended_at_ms = 0;
  uint64_t audio_bytes = 0;    ///< durable bytes of sound when last recorded
  uint64_t expected_bytes = 0; ///< size of the finished piece; 0: not known yet

  friend bool operator==(const generation_row&, const generation_row&) = default;
};

/// Accepts a generation: durable row, then both streams, then the reply `generation_status`; `ec::busy` when full.
struct start_generation {
  std::string user_id;
  std::string prompt;
  double duration_s = 0;
  uint64_t seed = 0;
  bool realtime = false;
};

/// Reply: `generation_status`, or `ec::not_found`. With a user id, only that user's generations are found.
struct find_generation {
  std::string request_id;
  std::string user_id; ///< empty: anybody's
};

/// Newest first. Reply: `generations_listed`, or `ec::not_found` when `after` is unknown.
struct list_generations {
  std::string user_id; ///< empty: everybody's
  uint32_t limit = 0;
  std::string after;   ///< the last request id of the page before; empty: from the newest
};

/// Ends a queued or running generation; what was made stays. Replies `generation_status` after the terminal event is
/// durable. An ended generation is left as it is.
struct cancel_generation {
  std::string request_id;
};

/// Cancels if need be and removes row and streams. Reply: `generation_purged`.
struct purge_generation {
  std::string request_id;
};

struct generation_purged {};

struct generation_status {
  generation_row row;
};

struct generations_listed {
  std::vector<generation_row> rows;
  bool more = false;
};

/// From a generation to its manager, whenever the row changed; durable only with the next `store_generation`.
struct generation_progressed {
  generation_row row;
};

// -- the catalogue host --------------------------------------------------------------------------------------------------

/// Adds a row and sets `accepted`. Reply: `generation_status`.
struct insert_generation {
  generation_row row;
};

/// Replaces the row with this request id. Reply: `generation_status`, or `ec::not_found`.
struct store_generation {
  generation_row row;
};

/// Reply: `generation_purged`, also when there is none.
struct erase_generation {
  std::string request_id;
};

/// Rows that are queued, running or being purged, in accepted order, from `after` (accepted number) on.
/// Reply: `generations_listed`.
struct list_unfinished {
  uint64_t after = 0;
  uint32_t limit = 0;
};

// -- generators ----------------------------------------------------------------------------------------------------------

/// Prepares one piece; once for each generator actor. Reply: `sound_opened`.
struct open_sound {
  std::string prompt;
  double duration_s = 0;
  uint64_t seed = 0;
};

struct sound_opened {
  std::string generator;
  std::string version;
  std::string plan;            ///< JSON object, for people
  uint64_t expected_bytes = 0; ///< of the finished piece, in canonical frames
};

/// The next frames, in order. Reply: `sound_rendered`.
struct render_sound {
  uint32_t bytes = 0; ///< as many whole frames as fit
};

struct sound_rendered {
  payload frames;
  bool at_end = false; ///< nothing follows
};

// -- operations ----------------------------------------------------------------------------------------------------------

/// Reply: `actor_description`, with its children.
struct describe_actor {};

struct actor_description {
  std::string name;
  std::string state;
  uint64_t queued = 0;   ///< messages in its mailbox, and requests it holds
  uint64_t restarts = 0;
  std::vector<actor_description> children;
};

/// Whether requests can be served. Reply: `readiness_checked`.
struct check_readiness {};

struct readiness_checked {
  bool ready = false;
  std::vector<std::string> checks; ///< each part and how it is, e.g. "chunk store: ok"
};

/// Reply: `tenant_services`.
struct resolve_tenant {};

// -- timers an actor sends to itself ---------------------------------------------------------------------------------------

struct expire_readers {};
struct retry_commit {};
struct check_idle {};
struct pace_sound {};
struct send_heartbeat {};
struct commit_writes {};
struct resume_queue {};
struct retry_step {};

/// Which of its streams a generation writes to.
enum class generation_stream : uint8_t { audio, events };

struct resend_appends {
  generation_stream which = generation_stream::audio;
};

// -- inspection ------------------------------------------------------------------------------------------------------------

#define SEGUE_INSPECT(type, ...)                                                                                       \
  template <class Inspector>                                                                                           \
  typename Inspector::result_type inspect(Inspector& f, [[maybe_unused]] type& x) {                                    \
    return f(caf::meta::type_name(#type) __VA_OPT__(, ) __VA_ARGS__);                                                  \
  }

SEGUE_INSPECT(producer_tag, x.id, x.epoch, x.seq)
SEGUE_INSPECT(stream_row, x.id, x.path, x.content_type, x.tail, x.closed, x.closed_by, x.stream_seq, x.ttl_s,
    x.expires_at_ms, x.parent, x.fork_position, x.soft_deleted, x.owner_epoch, x.created_at_ms)
SEGUE_INSPECT(create_stream, x.path, x.content_type, x.now_ms)
SEGUE_INSPECT(claim_stream, x.path)
SEGUE_INSPECT(put_chunks, x.id, x.owner_epoch, x.expected_tail, x.chunks, x.producers, x.stream_seq, x.close,
    x.closed_by)
SEGUE_INSPECT(delete_stream, x.path)
SEGUE_INSPECT(stream_written, x.row, x.created, x.producers)
SEGUE_INSPECT(load_stream, x.path)
SEGUE_INSPECT(stream_loaded, x.row)
SEGUE_INSPECT(load_chunks, x.id, x.after, x.limit, x.tail, x.closed)
SEGUE_INSPECT(append_chunk, x.bytes, x.lengths, x.content_type, x.producer, x.stream_seq, x.close, x.at)
SEGUE_INSPECT(chunk_appended, x.next, x.duplicate, x.closed, x.producer_seq)
SEGUE_INSPECT(read_chunks, x.after, x.limit, x.wait_ms)
SEGUE_INSPECT(chunk_batch, x.chunks, x.next, x.tail, x.closed)
SEGUE_INSPECT(inspect_stream)
SEGUE_INSPECT(may_retire, x.path)
SEGUE_INSPECT(retirement_decided, x.granted)
SEGUE_INSPECT(open_stream, x.path, x.content_type)
SEGUE_INSPECT(find_stream, x.path)
SEGUE_INSPECT(remove_stream, x.path)
SEGUE_INSPECT(stream_removed)
SEGUE_INSPECT(generation_row, x.accepted, x.request_id, x.user_id, x.prompt, x.duration_s, x.seed, x.realtime,
    x.generator, x.generator_version, x.state, x.decided, x.reason, x.attempt, x.created_at_ms, x.started_at_ms, x.ended_at_ms,
    x.audio_bytes, x.expected_bytes)
SEGUE_INSPECT(start_generation, x.user_id, x.prompt, x.duration_s, x.seed, x.realtime)
SEGUE_INSPECT(find_generation, x.request_id, x.user_id)
SEGUE_INSPECT(list_generations, x.user_id, x.limit, x.after)
SEGUE_INSPECT(cancel_generation, x.request_id)
SEGUE_INSPECT(purge_generation, x.request_id)
SEGUE_INSPECT(generation_purged)
SEGUE_INSPECT(generation_status, x.row)
SEGUE_INSPECT(generations_listed, x.rows, x.more)
SEGUE_INSPECT(generation_progressed, x.row)
SEGUE_INSPECT(insert_generation, x.row)
SEGUE_INSPECT(store_generation, x.row)
SEGUE_INSPECT(erase_generation, x.request_id)
SEGUE_INSPECT(list_unfinished, x.after, x.limit)
SEGUE_INSPECT(open_sound, x.prompt, x.duration_s, x.seed)
SEGUE_INSPECT(sound_opened, x.generator, x.version, x.plan, x.expected_bytes)
SEGUE_INSPECT(render_sound, x.bytes)
SEGUE_INSPECT(sound_rendered, x.frames, x.at_end)
SEGUE_INSPECT(describe_actor)
SEGUE_INSPECT(actor_description, x.name, x.state, x.queued, x.restarts, x.children)
SEGUE_INSPECT(check_readiness)
SEGUE_INSPECT(readiness_checked, x.ready, x.checks)
SEGUE_INSPECT(resolve_tenant)
SEGUE_INSPECT(expire_readers)
SEGUE_INSPECT(retry_commit)
SEGUE_INSPECT(check_idle)
SEGUE_INSPECT(pace_sound)
SEGUE_INSPECT(send_heartbeat)
SEGUE_INSPECT(commit_writes)
SEGUE_INSPECT(resume_queue)
SEGUE_INSPECT(retry_step)
SEGUE_INSPECT(resend_appends, x.which)

} // namespace segue
