// What is said about generations: to the manager, to the catalogue, to what makes the sound.
#pragma once

#include "actors/ids.hpp"
#include "actors/messages/inspect.hpp"
#include "actors/payload.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace segue {

// -- generations ---------------------------------------------------------------------------------------------------------

enum class generation_state : uint8_t { queued, running, completed, failed, cancelled, purging };

std::string to_string(generation_state state);

/// The row of a generation: the whole request, and the projection of its event stream.
struct generation_row {
  uint64_t accepted = 0; ///< order of acceptance, set by the catalogue
  std::string request_id;
  std::string user_id;
  std::string prompt;
  double duration_s = 0; ///< 0: as long as its producer wants
  uint64_t seed = 0;
  bool realtime = false; ///< made as fast as it plays
  std::string generator;
  std::string generator_version; ///< of the first attempt
  std::string producer; ///< who alone may append the sound, from outside; empty: a generator of ours makes it
  generation_state state = generation_state::queued;
  generation_state decided = generation_state::queued; ///< how it ends, recorded before the ending begins; `queued`: open
  std::string reason;    ///< why it failed
  uint64_t attempt = 0;  ///< times it was started; the producer epoch of its streams
  int64_t created_at_ms = 0;
  int64_t started_at_ms = 0;
  int64_t ended_at_ms = 0;
  uint64_t audio_bytes = 0;    ///< durable bytes of sound when last recorded
  uint64_t expected_bytes = 0; ///< size of the finished piece; 0: not known yet
  uint64_t place = 0;          ///< in the queue, 1 is next; 0: it does not wait. Told by the manager, never stored

  friend bool operator==(const generation_row&, const generation_row&) = default;
};

/// Accepts a generation: durable row, then both streams, then the reply `generation_status`; `ec::busy` when full.
struct start_generation {
  std::string user_id;
  std::string prompt;
  double duration_s = 0;
  uint64_t seed = 0;
  bool realtime = false;
  bool pushed = false; ///< a producer outside appends the sound
};

/// Reply: `generation_status`, or `ec::not_found`. With a user id, only that user's generations are found.
struct find_generation {
  std::string request_id;
  std::string user_id; ///< empty: anybody's
  /// Once every earlier change is decided, and also when it is being purged: for who goes on where another one stopped.
  bool settled = false;
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

/// Prepares one piece, one for each generator actor; sent again until it has begun. Reply, within about a second:
/// `sound_opened`; `ec::unavailable` or `ec::timeout` when another attempt may do better, any other error when none can.
struct open_sound {
  std::string prompt;
  double duration_s = 0;
  uint64_t seed = 0;
  std::string user_id;
  std::string request_id;
  uint64_t attempt = 0;
  uint64_t resume_at_ms = 0; ///< the sound before it is durable already; the generator begins there, or anywhere before
};

struct sound_opened {
  std::string generator;
  std::string version;
  std::string plan;            ///< JSON object, for people
  uint64_t expected_bytes = 0; ///< of the finished piece, in canonical frames; it may turn out shorter or longer
  uint64_t starts_at = 0;      ///< position in the log of its first frame
  bool begun = true;           ///< false: the generator needs longer, nothing else is known yet
};

/// The next frames, in order. Reply, within about a second: `sound_rendered`; errors like those of `open_sound`.
struct render_sound {
  uint32_t bytes = 0; ///< as many whole frames as fit
};

struct sound_rendered {
  payload frames;      ///< fewer than asked for, even none, when the generator is not that far yet
  bool at_end = false; ///< nothing follows
};

// -- inspection ---------------------------------------------------------------------------------------------------------

SEGUE_INSPECT(generation_row, x.accepted, x.request_id, x.user_id, x.prompt, x.duration_s, x.seed, x.realtime,
    x.generator, x.generator_version, x.producer, x.state, x.decided, x.reason, x.attempt, x.created_at_ms, x.started_at_ms, x.ended_at_ms,
    x.audio_bytes, x.expected_bytes, x.place)
SEGUE_INSPECT(start_generation, x.user_id, x.prompt, x.duration_s, x.seed, x.realtime, x.pushed)
SEGUE_INSPECT(find_generation, x.request_id, x.user_id, x.settled)
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
SEGUE_INSPECT(open_sound, x.prompt, x.duration_s, x.seed, x.user_id, x.request_id, x.attempt, x.resume_at_ms)
SEGUE_INSPECT(sound_opened, x.generator, x.version, x.plan, x.expected_bytes, x.starts_at, x.begun)
SEGUE_INSPECT(render_sound, x.bytes)
SEGUE_INSPECT(sound_rendered, x.frames, x.at_end)

} // namespace segue
