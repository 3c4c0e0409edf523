// How a finished piece lies in the object store: its bytes as a plain file, and beside it a manifest that knows its records.
#pragma once

#include "actors/messages.hpp"

#include <stdexcept>

namespace segue {

/// Keys of the two objects of the stream at `path`.
std::string bytes_key(const std::string& path);
std::string manifest_key(const std::string& path);

/// Of a manifest: about four million records. What nobody would read must not be relied on.
inline constexpr uint64_t longest_manifest = 64 << 20;

/// What was put together, or read, is not what was archived.
struct bad_archive : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The records of an archived stream: an object is read in ranges, and cut into the very records that were appended.
class manifest {
public:
  /// Adds the next record.
  void add(const chunk& record);

  /// Size of the whole piece.
  uint64_t size() const { return starts_.empty() ? 0 : starts_.back() + lengths_.back(); }
  size_t records() const { return starts_.size(); }

  std::string content_type;
  std::string sha256; ///< of all bytes, in hexadecimal digits

  struct range {
    position from = 0;
    uint64_t length = 0;
  };

  /// Whole records of about `limit` bytes, beginning with the one that holds `after`: at least one if there is one.
  range covering(position after, uint64_t limit) const;

  /// The records in bytes that were read from such a range. Throws `bad_archive` when they are not what was archived.
  std::vector<chunk> cut(position from, const payload& bytes) const;

  /// As JSON. `read` throws `bad_archive`.
  std::string write() const;
  static manifest read(std::string_view text);

private:
  size_t holding(position at) const;

  std::vector<position> starts_;
  std::vector<uint32_t> lengths_;
  std::vector<uint32_t> checksums_; ///< CRC-32
};

} // namespace segue
