#include "actors/archive.hpp"

#include "actors/crc32.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace segue {

namespace {

using json = nlohmann::ordered_json;

constexpr int format = 1;

} // namespace

std::string bytes_key(const std::string& path) { return path + ".mp3"; }

std::string manifest_key(const std::string& path) { return path + ".json"; }

void manifest::add(const chunk& record) {
  if (record.start != size())
    throw bad_archive{"a record begins at " + std::to_string(record.start) + ", and not at " + std::to_string(size())};
  starts_.push_back(record.start);
  lengths_.push_back(static_cast<uint32_t>(record.bytes.size()));
  checksums_.push_back(crc32(record.bytes.view()));
}

/// Index of the record with this position, or behind the last.
size_t manifest::holding(position at) const {
  if (at >= size())
    return starts_.size();
  auto next = std::upper_bound(starts_.begin(), starts_.end(), at);
  return static_cast<size_t>(next - starts_.begin()) - 1;
}

manifest::range manifest::covering(position after, uint64_t limit) const {
  auto first = holding(after);
  if (first == starts_.size())
    return {after, 0};
  auto last = first + 1;
  auto length = uint64_t{lengths_[first]};
  while (last < starts_.size() && length + lengths_[last] <= limit)
    length += lengths_[last++];
  return {starts_[first], length};
}

std::vector<chunk> manifest::cut(position from, const payload& bytes) const {
  std::vector<chunk> records;
  for (size_t i = holding(from), at = 0; at < bytes.size(); ++i) {
    if (i >= starts_.size() || starts_[i] != from + at || at + lengths_[i] > bytes.size())
      throw bad_archive{"an archived piece has other records than its manifest"};
    auto own = bytes.from(at).first(lengths_[i]);
    if (crc32(own.view()) != checksums_[i])
      throw bad_archive{"an archived record does not match its checksum"};
    at += lengths_[i];
    records.push_back({starts_[i], std::move(own), {}});
  }
  return records;
}

std::string manifest::write() const {
  auto records = json::array();
  for (size_t i = 0; i < starts_.size(); ++i)
    records.push_back(json::array({lengths_[i], checksums_[i]}));
  return json{{"format", format}, {"content_type", content_type}, {"bytes", size()}, {"sha256", sha256},
      {"records", std::move(records)}}
      .dump();
}

manifest manifest::read(std::string_view text) {
  try {
    auto parsed = json::parse(text);
    if (parsed.at("format") != format)
      throw bad_archive{"a manifest has format " + parsed.at("format").dump() + ", and only " + std::to_string(format) + " is known"};
    manifest x;
    x.content_type = parsed.at("content_type").get<std::string>();
    x.sha256 = parsed.at("sha256").get<std::string>();
    for (const auto& record : parsed.at("records")) {
      auto start = x.size();
      x.starts_.push_back(start);
      x.lengths_.push_back(record.at(0).get<uint32_t>());
      x.checksums_.push_back(record.at(1).get<uint32_t>());
      if (x.lengths_.back() == 0)
        throw bad_archive{"a manifest has an empty record"};
    }
    if (parsed.at("bytes") != x.size())
      throw bad_archive{"the records of a manifest are not as long as it says"};
    return x;
  } catch (const json::exception& e) {
    throw bad_archive{std::string{"a manifest cannot be read: "} + e.what()};
  }
}

} // namespace segue
