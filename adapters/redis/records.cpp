#include "adapters/redis/records.hpp"

#include "adapters/ports.hpp"
#include "adapters/redis/scripts.hpp"
#include "adapters/redis/stored.hpp"

#include <algorithm>

namespace segue::redis {

namespace {

constexpr uint64_t most_at_once = 4 << 20; ///< bytes in one answer, about

} // namespace

std::vector<chunk> read_records(
    connection& server, const std::string& key, position after, uint64_t limit, beginning first) {
  static const auto extra = std::to_string(encode(chunk{}).size());
  std::vector<chunk> found;
  uint64_t size = 0;
  auto exactly = first == beginning::exactly;
  words from{exactly ? entry_id(after) : std::to_string(after), exactly ? "from" : "holding"};
  for (;;) {
    auto wanted = std::to_string(std::min(limit - size, most_at_once));
    auto answer = server.run(scripts::load_records, {key}, {from[0], from[1], wanted, extra});
    for (size_t i = 1; i + 1 < answer.size(); i += 2) {
      auto record = record_from(answer[i], answer[i + 1]);
      if (record.end() <= after)
        continue;
      if (exactly && record.start != (found.empty() ? after : found.back().end()))
        return found;
      if (found.size() == chunk_store::most_records || (!found.empty() && size + record.bytes.size() > limit))
        return found;
      size += record.bytes.size();
      found.push_back(std::move(record));
    }
    if (answer[0].text() == "end" || size >= limit)
      return found;
    from = {"(" + std::string{answer[answer.size() - 2].text()}, "from"};
  }
}

} // namespace segue::redis
