#include "http/byte_range.hpp"

#include "http/number.hpp"

#include <algorithm>

namespace segue::http {

range_verdict judge_range(std::string_view header, uint64_t length) {
  using kind = range_verdict::kind;
  constexpr std::string_view unit = "bytes=";
  auto dash = header.find('-');
  if (!header.starts_with(unit) || dash == std::string_view::npos || header.find(',') != std::string_view::npos)
    return {};
  auto from = header.substr(unit.size(), dash - unit.size());
  auto to = header.substr(dash + 1);
  auto first = whole_number(from);
  auto last = whole_number(to);
  if ((!from.empty() && !first) || (!to.empty() && !last) || (!first && !last))
    return {};
  if (!first) { // the last so many bytes
    if (*last == 0 || length == 0)
      return {kind::unsatisfiable, {}};
    return {kind::part, {length - std::min(*last, length), length - 1}};
  }
  if (last && *last < *first)
    return {};
  if (*first >= length)
    return {kind::unsatisfiable, {}};
  return {kind::part, {*first, std::min(last.value_or(length - 1), length - 1)}};
}

} // namespace segue::http
