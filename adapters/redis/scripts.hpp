// What runs inside the server. Lua's numbers are doubles there: ids, positions and epochs stay texts.
#pragma once

#include "adapters/redis/connection.hpp"

namespace segue::redis::scripts {

/// KEYS: the epoch. ARGV: the epoch expected, or nothing; how many keys hold an expected value, and each with it, nothing
/// for a key that is not there; how many Redis Streams end with an expected entry, and each with its id, nothing for an
/// empty one; then commands, each behind the number of its words.
/// Answers `done` or `fenced`, or which of what was expected is not so, counted from 1, each with what is there; then nothing
/// was done.
extern const script commit;

/// The same for what needs no room: it runs also when the server has reached its maxmemory.
extern const script commit_in_no_room;

/// KEYS: a Redis Stream. ARGV: a position or entry; `holding` or `from`; bytes wanted; bytes that an entry is larger than its
/// record. Answers `more` or `end`, then ids and values in turn: at least one if there is one, the last may be too much.
/// `holding` begins with the last entry up to that position, if there is one, else with the first.
extern const script load_records;

/// KEYS: the names. ARGV: a path, and what the keys of rows begin with. Answers the row.
extern const script load_row;

/// KEYS: lease, epoch, taker. ARGV: holder, milliseconds, the epoch expected, and how: `anew`; or by whoever has it, `on` or with
/// another epoch, `raise`. The epoch rises unless it goes on. Answers `ours` and the epoch; `theirs` and the holder; `lost` and who
/// has had it since, to whoever does not take it anew; or `moved` and the epoch, which is not the expected one. But for `ours`
/// nothing was done, so that a command that comes late does nothing.
extern const script take_lease;

/// KEYS: lease, epoch. ARGV: holder, the epoch it is held with. The epoch rises.
extern const script release_lease;

} // namespace segue::redis::scripts
