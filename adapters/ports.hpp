// The ports: what an adapter may be. Plain blocking classes that know no actors and may throw.
// `host.cpp` gives each its threads, turns what it throws into an `ec` and measures it.
#pragma once

#include "actors/messages.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

namespace segue {

/// What an adapter throws when it knows what is wrong; anything else it throws becomes `ec::internal`.
class adapter_error : public std::runtime_error {
public:
  adapter_error(ec code, const std::string& what) : std::runtime_error(what), code_(code) {}
  ec code() const { return code_; }

private:
  ec code_;
};

// -- ownership --------------------------------------------------------------------------------------------------------

/// What one server at a time may write to. Engines in the data folder are locked with it and need none of this; networked
/// ones keep a lease. Called by any thread, also while something else is under way.
class owned_store {
public:
  virtual ~owned_store() = default;

  /// Takes the lease for so long, or prolongs it. Nothing: it is ours; else who has it. When it changes hands the fencing
  /// epoch rises: whatever a former owner still sends fails with `ec::fenced`. Who finds out, by prolonging, that somebody else has had
  /// it meanwhile is told whom, once, also when it is free again: what was done since then did not count. Throws when the store
  /// does not answer.
  virtual std::optional<std::string> take_lease(const std::string& /*holder*/, std::chrono::milliseconds /*how_long*/) {
    return std::nullopt;
  }

  /// Gives it back, if it is ours.
  virtual void release_lease(const std::string& /*holder*/) {}
};

// -- the log ----------------------------------------------------------------------------------------------------------

using stream_write =
    std::variant<create_stream, claim_stream, put_chunks, delete_stream, mark_archive, restore_chunks>;

/// What became of one write: `ec::none` and the row as it is now, or why it changed nothing.
struct write_outcome {
  ec code = ec::none;
  stream_written written;
};

/// Keeps streams: rows, chunks, producers. `commit` is called by one thread at a time, the readers by any number of
/// threads at any time, also while a commit is under way. Only the owner may commit, but for `mark_archive` and
/// `restore_chunks`, which do no harm from elsewhere.
class chunk_store : public owned_store {
public:
  static constexpr size_t most_records = 4096; ///< of one read, as of a ring: small ones cost more than their bytes

  /// Applies the writes in order, each seeing the ones before it, and returns once all of them are durable: one outcome
  /// for each write. A write is atomic by itself. `create_stream` answers with the existing row when the path is taken,
  /// `claim_stream` raises the owner epoch by one, `put_chunks` is `ec::not_found` for an unknown id, `ec::fenced` for
  /// another owner epoch or tail than the row's, and `ec::closed` on a closed stream. `apply_write` of `stream_rules.hpp` is what
  /// they mean in full.
  /// Throws `adapter_error{ec::storage_full}` when nothing was written for lack of space; any other exception leaves
  /// open which of the writes are durable, until `reopen` has succeeded.
  virtual std::vector<write_outcome> commit(std::span<const stream_write> writes) = 0;

  /// The row at this path, or with this id.
  virtual std::optional<stream_row> load_row(const std::string& path) = 0;
  virtual std::optional<stream_row> load_row(stream_id id) = 0;

  /// Whole records in order, beginning with the one that holds position `after`: at least one if there is one, at most
  /// about `limit` bytes and `most_records`. Throws `ec::corrupt` when a record does not match its checksum.
  virtual std::vector<chunk> load_chunks(stream_id id, position after, uint64_t limit) = 0;

  /// At most `limit` rows with an id above this one that have a `ttl_s` or `expires_at_ms`, in the order of their ids.
  virtual std::vector<stream_row> load_expiring(stream_id above, size_t limit) = 0;

  /// After a failed commit: comes back to what is durable, and makes sure that nothing sent before can still become so.
  /// Throws when that is not possible yet.
  virtual void reopen() = 0;
};

/// Newest records, to be read before the log itself. It may forget anything at any time, and lose what it is told.
/// Called by any thread.
class chunk_cache {
public:
  virtual ~chunk_cache() = default;

  /// Adds durable records, in order.
  virtual void put(stream_id id, std::span<const chunk> records) = 0;

  /// Consecutive records, the first beginning exactly at `after`, of about `limit` bytes. None: it does not have it.
  virtual std::vector<chunk> get(stream_id id, position after, uint64_t limit) = 0;

  /// The same for who does not care where records end: those without messages that lie side by side in memory may come as one.
  virtual std::vector<chunk> get_joined(stream_id id, position after, uint64_t limit) { return get(id, after, limit); }

  virtual void forget(stream_id id) = 0;

  /// Throws why it cannot be used now, which nothing above does.
  virtual void probe() {}

  /// Whether it is as near as can be, so that what was read from the log is worth keeping for the next one who reads it.
  virtual bool in_memory() const { return false; }
};

// -- objects ----------------------------------------------------------------------------------------------------------

struct object_bytes {
  payload bytes;
  uint64_t size = 0; ///< of the whole object
};

/// Keeps whole things under a key. What is written is durable when the call returns. Called by any thread. Throws
/// `ec::unavailable` or `ec::timeout` when trying again may help, `ec::not_found` for a missing object or upload.
class object_store {
public:
  virtual ~object_store() = default;

  virtual void put(const std::string& key, const std::string& content_type, const payload& bytes) = 0;

  /// An object in parts: `begin_upload`, `put_part` for each in any order (1 to 10,000; all but the last at least 5 MiB;
  /// again in place of itself), `finish_upload` with what each part answered.
  virtual std::string begin_upload(const std::string& key, const std::string& content_type) = 0;
  virtual std::string put_part(const std::string& key, const std::string& upload_id, uint32_t number, const payload& bytes) = 0;
  virtual void finish_upload(const std::string& key, const std::string& upload_id, const std::vector<std::string>& tags) = 0;

  /// Throws away the parts of every upload of this key that is not finished: also of one whose id nobody has heard.
  virtual void abort_uploads(const std::string& key) = 0;

  /// At most `length` bytes from `from` on; none behind the end.
  virtual object_bytes read(const std::string& key, uint64_t from, uint64_t length) = 0;

  /// No error when there is none.
  virtual void erase(const std::string& key) = 0;
};

// -- the catalogue ----------------------------------------------------------------------------------------------------

/// Keeps rows: generations, transfers, keys. Every writing call is durable when it returns. The writing calls of
/// generations are made by one thread at a time and are the owner's (`ec::fenced` for any other process); everything else is
/// called by any thread.
class catalogue_store : public owned_store {
public:
  // -- generations

  /// Adds the row and returns its place in the order of acceptance. Throws `ec::conflict` when the id is taken.
  virtual uint64_t insert(const generation_row& row) = 0;

  /// Replaces the row with this request id. False: there is none.
  virtual bool store(const generation_row& row) = 0;

  /// Removes the row; no error when there is none.
  virtual void erase(const std::string& request_id) = 0;

  virtual std::optional<generation_row> find(const std::string& request_id) = 0;

  /// At most `limit` rows with an accepted number below `before`, newest first; of one user, or with an empty id of all.
  /// Rows that are being purged are left out.
  virtual std::vector<generation_row> newest(const std::string& user_id, uint64_t before, uint32_t limit) = 0;

  /// At most `limit` rows that are queued, running or being purged, with an accepted number above `after`, oldest first.
  virtual std::vector<generation_row> unfinished(uint64_t after, uint32_t limit) = 0;

  // -- transfers, by any number of processes

  /// Now by the one clock that says when leases end, in Unix ms: processes that share the rows may have clocks that differ. Nothing:
  /// that of whoever asks will do.
  virtual std::optional<int64_t> clock_ms() { return std::nullopt; }

  /// The row of this path as it is now: the one that was there, unless it is done, or this is a removal and that one is
  /// not; else this one, with a new id, and waiting. A removal that takes the place of a leased row is due only when that lease has
  /// ended, and as long again, at most a minute: what was begun under it has arrived by then, unless the line is slow, for which
  /// whoever removes looks once more later.
  virtual transfer_row insert(const transfer_row& row) = 0;

  /// Leases at most `limit` rows that are due at `now_ms`, waiting or left behind by a holder whose lease has ended, oldest
  /// due first; no row is ever given to two. They come back `running`, with a higher `lease`; of one that was left behind, that is one
  /// more failed attempt, or the first one when `says_away` of its error. All times are of `clock_ms`.
  virtual std::vector<transfer_row> lease(const std::string& holder, int64_t now_ms, int64_t until_ms, uint32_t limit) = 0;

  /// Replaces the row if its `lease` is still the same. False: it is not, or the row is gone.
  virtual bool store(const transfer_row& row) = 0;

  /// Makes a row that is dead or waiting due at once, with no failed attempts. Nothing: there is none; a row in another
  /// state is returned as it is.
  virtual std::optional<transfer_row> retry(uint64_t id, int64_t now_ms) = 0;

  /// Removes a row that is done, or does not run and is no removal, and returns it as it was. Nothing: there is none; any other is
  /// returned and kept.
  virtual std::optional<transfer_row> drop(uint64_t id) = 0;

  /// Removes rows that are done and have not changed since before that time.
  virtual void prune(int64_t before_ms) = 0;

  virtual std::optional<transfer_row> find_transfer(uint64_t id) = 0;
  virtual std::vector<transfer_row> transfers(uint64_t after, uint32_t limit, bool dead_only) = 0;
  virtual std::vector<transfer_row> changed_transfers(int64_t since_ms, uint32_t limit) = 0;

  // -- keys, by any number of processes

  /// Throws `ec::conflict` when the id or the hash is taken.
  virtual void insert(const api_key& key) = 0;
  virtual std::optional<api_key> find_key(const std::string& hash) = 0;
  virtual std::vector<api_key> keys() = 0;
  /// False: there is none with this id.
  virtual bool erase_key(const std::string& id) = 0;
};

// -- sound ------------------------------------------------------------------------------------------------------------

/// The one format of sound inside Segue: interleaved stereo, signed 16 bit.
inline constexpr uint32_t sample_rate = 48'000;
inline constexpr uint32_t channels = 2;

/// What a generator is asked to make.
struct sound_request {
  std::string prompt;      ///< UTF-8, already validated: 1 to 2,000 characters
  double duration_s = 60;  ///< wished length in seconds; a piece may end up to a bar later, never earlier than 1 s before
  uint64_t seed = 0;       ///< same prompt, duration, seed, build and soundfont: same samples
  std::string user_id;
  std::string request_id;    ///< UUID; the same for every attempt
  uint64_t attempt = 1;      ///< counted from 1
  uint64_t resume_at_ms = 0; ///< the piece is known up to a little behind this: sound before it would be dropped
};

/// Makes the sound of one piece, to its last sample. Used by one thread at a time. Calls that wait for somebody else's
/// sound return after at most about half a second, so that whoever asks can stop asking.
/// What is thrown says whether another attempt, with a new generator, may do better: `adapter_error` with
/// `ec::unavailable` or `ec::timeout`; anything else is final.
class generator {
public:
  virtual ~generator() = default;

  /// False: it waits for somebody else and is to be asked again; nothing below is called before it was true.
  virtual bool begin() { return true; }

  /// Where in the piece its first sample lies, in sample frames: `resume_at_ms`, or anywhere before.
  virtual uint64_t starts_at() const { return 0; }

  /// What will be made, as a JSON object for people and for the `started` event, e.g. `{"tempo_bpm":80,"key":"D minor"}`.
  virtual std::string plan() const = 0;

  /// Length of the whole piece in sample frames (one frame = one sample per channel), or what is expected of it.
  virtual uint64_t length() const = 0;

  /// Renders the next samples into `out` (interleaved, size a multiple of `channels`) and returns the number of
  /// sample *frames* written; fewer than asked only at the end, 0 once the piece is over, or while it is `waiting`.
  /// Throws when sound cannot be made.
  virtual size_t render(std::span<int16_t> out) = 0;

  /// Whether the last `render` gave fewer frames because more had not come in time, not because the piece is over.
  virtual bool waiting() const { return false; }
};

/// Turns samples into whole frames of the canonical log format. Used by one thread at a time, for one piece.
class encoder {
public:
  virtual ~encoder() = default;

  /// Encodes interleaved stereo samples and appends the whole frames that are ready to `out`.
  virtual void encode(std::span<const int16_t> samples, std::string& out) = 0;

  /// Appends what is still inside; nothing may be encoded afterwards.
  virtual void finish(std::string& out) = 0;

  /// Bytes of one frame; constant, because the format is linear.
  virtual size_t frame_bytes() const = 0;
};

} // namespace segue
