// What is said to the object store: whole things under a key, written once.
#pragma once

#include "actors/ids.hpp"
#include "actors/messages/inspect.hpp"
#include "actors/payload.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace segue {

/// Writes an object in one piece, in place of what the key had. Reply: `object_put`.
struct put_object {
  std::string key; ///< letters, digits, `-`, `_`, `.` and `/`
  std::string content_type;
  payload bytes;
};

struct object_put {};

/// Begins an object in parts. Nothing of it is there before `finish_upload`. Reply: `upload_begun`.
struct begin_upload {
  std::string key;
  std::string content_type;
};

struct upload_begun {
  std::string upload_id;
};

/// One part, 1 to 10,000, in any order; all but the last at least 5 MiB. Reply: `part_put`.
struct put_part {
  std::string key;
  std::string upload_id;
  uint32_t number = 0;
  payload bytes;
};

struct part_put {
  std::string tag; ///< what `finish_upload` wants to know of it
};

/// Makes the object of its parts, in place of what the key had. Reply: `object_put`.
struct finish_upload {
  std::string key;
  std::string upload_id;
  std::vector<std::string> tags; ///< of the parts, in order
};

/// Throws away whatever was begun for this key and not finished, whoever began it. Reply: `object_put`.
struct abort_uploads {
  std::string key;
};

/// Reads bytes `from` to `from + length`, fewer at the end. Reply: `object_read`, or `ec::not_found`.
struct read_object {
  std::string key;
  uint64_t from = 0;
  uint64_t length = 0;
};

struct object_read {
  payload bytes;
  uint64_t size = 0; ///< of the whole object
};

/// Removes the object; no error when there is none. Reply: `object_put`.
struct erase_object {
  std::string key;
};

/// Reads records of an archived stream like `load_chunks` reads those of others. Reply: `chunk_batch`; `ec::corrupt` when the
/// object is not what was archived.
struct load_archived {
  std::string path;
  position after = 0;
  position until = 0; ///< nothing from there on
  uint64_t limit = 0;
  position tail = 0;  ///< as in `load_chunks`
  bool closed = false;
};

SEGUE_INSPECT(put_object, x.key, x.content_type, x.bytes)
SEGUE_INSPECT(object_put)
SEGUE_INSPECT(begin_upload, x.key, x.content_type)
SEGUE_INSPECT(upload_begun, x.upload_id)
SEGUE_INSPECT(put_part, x.key, x.upload_id, x.number, x.bytes)
SEGUE_INSPECT(part_put, x.tag)
SEGUE_INSPECT(finish_upload, x.key, x.upload_id, x.tags)
SEGUE_INSPECT(abort_uploads, x.key)
SEGUE_INSPECT(read_object, x.key, x.from, x.length)
SEGUE_INSPECT(object_read, x.bytes, x.size)
SEGUE_INSPECT(erase_object, x.key)
SEGUE_INSPECT(load_archived, x.path, x.after, x.until, x.limit, x.tail, x.closed)

} // namespace segue
