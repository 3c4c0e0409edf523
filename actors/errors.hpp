// Every way in which something can fail, for everybody. Adapters fold what their vendor reports into these codes;
// `http/problem.cpp` alone turns them into a status.
#pragma once

#include <caf/error.hpp>
#include <caf/make_message.hpp>
#include <caf/message.hpp>
#include <caf/type_id.hpp>

#include <cstdint>
#include <string>

namespace segue {

enum class ec : uint8_t {
  none = 0,
  invalid_argument, ///< the request says something impossible; the detail says what is allowed
  bad_offset,       ///< malformed, past the tail, or inside a message
  not_found,        ///< no such stream, generation or path
  gone,             ///< it was deleted, and is kept for others that were made from it
  conflict,         ///< it exists already, with another configuration
  closed,           ///< the stream accepts nothing any more; the detail is its end
  wrong_type,       ///< content type of the append is not the stream's
  stale_producer,   ///< a newer epoch of this producer has written: this one is fenced; the detail is the newer one
  producer_gap,     ///< a producer sequence number was left out; the detail is the one that is expected
  busy,             ///< a bound is reached; trying later helps
  moved,            ///< this actor no longer owns what it is asked for; resolve it again
  fenced,           ///< the store knows a newer owner, or another tail than expected
  unknown_outcome,  ///< a write was sent and its answer lost: it may or may not be durable
  unavailable,      ///< a part is down, restarting or stopping; trying later helps
  timeout,          ///< no answer in time
  too_large,        ///< it would be larger than is allowed
  storage_full,     ///< free space is below the reserve
  corrupt,          ///< stored bytes do not match their checksum
  unauthenticated,  ///< nobody knows who asks
  internal,         ///< a fault of ours
};

/// Stable name of a code, e.g. "not_found"; used in logs, problem bodies and metrics.
std::string to_string(ec code);

/// Folds any CAF error into a code: ours as it is, a dead or unreachable actor as `unavailable`, a missed answer as
/// `timeout`, everything else as `internal`.
ec code_of(const caf::error& error);

/// Whether a stream did not look at what it was asked, since it retires just now (`ec::moved`) or had ended by then, or took it along
/// when it was removed: it may be asked of its successor, whatever it is.
bool has_retired(const caf::error& error);

/// The sentence given with the error, or an empty string.
std::string detail_of(const caf::error& error);

/// Whose thing the error is about, if that was given behind the sentence: it must not be told to others.
std::string owner_of(const caf::error& error);

} // namespace segue

CAF_BEGIN_TYPE_ID_BLOCK(segue_errors, caf::first_custom_type_id)
  CAF_ADD_TYPE_ID(segue_errors, (segue::ec))
CAF_END_TYPE_ID_BLOCK(segue_errors)

CAF_ERROR_CODE_ENUM(segue::ec, "segue")
