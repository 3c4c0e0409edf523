// The ports: what an adapter may be. Plain blocking classes that know no actors and may throw.
// `host.cpp` gives each its threads, turns what it throws into an `ec` and measures it.
#pragma once

#include "actors/messages.hpp"

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

// -- the log ----------------------------------------------------------------------------------------------------------

using stream_write = std::variant<create_stream, claim_stream, put_chunks, delete_stream>;

/// What became of one write: `ec::none` and the row as it is now, or why it changed nothing.
struct write_outcome {
  ec code = ec::none;
  stream_written written;
};

/// Keeps streams: rows, chunks, producers. `commit` is called by one thread at a time, the readers by any number of
/// threads at any time, also while a commit is under way.
class chunk_store {
public:
  virtual ~chunk_store() = default;

  /// Applies the writes in order, each seeing the ones before it, and returns once all of them are durable: one outcome
  /// for each write. A write is atomic by itself. `create_stream` answers with the existing row when the path is taken,
  /// `claim_stream` raises the owner epoch by one, `put_chunks` is `ec::not_found` for an unknown id, `ec::fenced` for
  /// another owner epoch or tail than the row's, and `ec::closed` on a closed stream. `apply_write` of `stream_rules.hpp` is what
  /// they mean in full.
  /// Throws `adapter_error{ec::storage_full}` when nothing was written for lack of space; any other exception leaves
  /// open which of the writes are durable, until `reopen` has succeeded.
  virtual std::vector<write_outcome> commit(std::span<const stream_write> writes) = 0;

  /// The row at this path.
  virtual std::optional<stream_row> load_row(const std::string& path) = 0;

  /// Whole records in order, beginning with the one that holds position `after`: at least one if there is one, at most
  /// about `limit` bytes. Throws `ec::corrupt` when a record does not match its checksum.
  virtual std::vector<chunk> load_chunks(stream_id id, position after, uint64_t limit) = 0;

  /// At most `limit` rows with an id above this one that have a `ttl_s` or `expires_at_ms`, in the order of their ids.
  virtual std::vector<stream_row> load_expiring(stream_id above, size_t limit) = 0;

  /// After a failed commit: comes back to what is durable. Throws when that is not possible yet.
  virtual void reopen() = 0;
};

// -- the catalogue ----------------------------------------------------------------------------------------------------

/// Keeps the rows of generations. Every writing call is durable when it returns. Used by one thread at a time.
class catalogue_store {
public:
  virtual ~catalogue_store() = default;

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
