// `Range: bytes=…` against content of a known length, as RFC 9110 says.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace segue::http {

struct byte_range {
  uint64_t first = 0;
  uint64_t last = 0; ///< included

  uint64_t size() const { return last - first + 1; }
};

struct range_verdict {
  enum class kind {
    whole,         ///< no range, or one to be ignored: malformed, of another unit, or several at once
    part,          ///< send `range` as 206
    unsatisfiable, ///< begins at or after the end: 416
  } what = kind::whole;
  byte_range range;
};

range_verdict judge_range(std::string_view header, uint64_t length);

} // namespace segue::http
