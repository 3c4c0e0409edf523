#include "adapters/rocksdb/log_tail.hpp"

#include "adapters/rocksdb/durably.hpp"
#include "adapters/rocksdb/layout.hpp"

#include <array>
#include <charconv>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace segue::rocksdb_engine {

namespace {

constexpr size_t block_size = 32 << 10; ///< a record begins anywhere, but is cut into parts where a block ends
constexpr uint64_t most_changes = 1 << 16; ///< in one record
constexpr size_t header_size = 7;       ///< of each part: checksum, 4 bytes; size, 2; kind, 1; little-endian

enum class kind { none, full, first, middle, last };

constexpr size_t numbers_size = 12; ///< of what a record begins with: the number of its first change, 8 bytes; how many, 4

struct part {
  kind what = kind::none;
  std::string_view content{};

  size_t size() const { return header_size + content.size(); }
};

uint64_t little_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;)
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

/// The part that `bytes` begin with, if it is whole.
part read_part(std::string_view bytes) {
  if (bytes.size() < header_size)
    return {};
  auto what = little_endian(bytes.substr(6, 1));
  auto size = little_endian(bytes.substr(4, 2));
  if (what < 1 || what > 4 || header_size + size > bytes.size())
    return {};
  auto crc = rocksdb::crc32c::Extend(0, bytes.data() + 6, size + 1);
  auto masked = (crc >> 15 | crc << 17) + 0xa282ead8; // so that a log that holds a log is not taken for one
  if (masked != little_endian(bytes.substr(0, 4)))
    return {};
  return {static_cast<kind>(what), bytes.substr(header_size, size)};
}

uint64_t first_change(std::string_view record) { return little_endian(record.substr(0, 8)); }

bool begins_record(const part& x) { return x.what == kind::full || x.what == kind::first; }

/// Whether a later record begins behind a part that is not whole, before the block ends. A client may have sent what looks like one, but hardly
/// with the number that comes next.
bool record_follows(std::string_view bytes, uint64_t next) {
  if (bytes.find_first_not_of('\0') == std::string_view::npos) // as ahead of every log
    return false;
  for (size_t at = 1; at < bytes.size(); ++at) { // its size may be what is damaged
    auto found = read_part(bytes.substr(at));
    if (!begins_record(found))
      continue;
    auto change = first_change(found.content);
    if (next == 0 || (change >= next && change - next < most_changes))
      return true;
  }
  return false;
}

/// Newest first. Their names are numbers.
std::vector<std::filesystem::path> logs_in(const std::filesystem::path& folder) {
  std::map<uint64_t, std::filesystem::path, std::greater<>> found;
  if (std::filesystem::exists(folder))
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
      auto name = entry.path().stem().string();
      uint64_t number = 0;
      auto read = std::from_chars(name.data(), name.data() + name.size(), number);
      if (entry.path().extension() == ".log" && read.ec == std::errc{} && read.ptr == name.data() + name.size())
        found[number] = entry.path();
    }
  std::vector<std::filesystem::path> sorted;
  for (const auto& [number, path] : found)
    sorted.push_back(path);
  return sorted;
}

[[noreturn]] void refuse(const std::filesystem::path& path, uint64_t end) {
  throw adapter_error{ec::corrupt, path.string() + " is damaged at byte " + std::to_string(end)
      + ", and later writes follow, which were acknowledged. Bring the folder back from a copy; or, to go on without them, "
        "`truncate -s " + std::to_string(end) + " " + path.string() + "`"};
}

log_tail look_at(const std::filesystem::path& path) {
  std::ifstream log{path, std::ios::binary};
  auto found = read_log(log);
  if (!log.is_open() || log.bad()) // what cannot be read is no end
    throw adapter_error{ec::unavailable, path.string() + " cannot be read"};
  if (found.damaged)
    refuse(path, found.end);
  return found;
}

} // namespace

log_tail read_log(std::istream& log) {
  log_tail found;
  bool inside = false; // a record has begun and has not ended
  bool torn = false;
  std::string numbers; // of the record that was begun last
  std::array<char, block_size> buffer;
  for (uint64_t begin = 0;; begin += block_size) {
    log.read(buffer.data(), buffer.size());
    std::string_view block{buffer.data(), static_cast<size_t>(log.gcount())};
    for (size_t at = 0; at < block.size() && block_size - at >= header_size;) {
      auto next = read_part(block.substr(at));
      bool begins = begins_record(next);
      if (begins && (torn || inside)) {
        found.damaged = true;
        return found;
      }
      torn = torn || next.what == kind::none || (!begins && !inside);
      if (next.what == kind::none && record_follows(block.substr(at), found.next_change))
        found.damaged = true;
      if (found.damaged)
        return found;
      if (next.what == kind::none) {
        found.torn = found.torn || block.find_first_not_of('\0', at) != block.npos;
        break; // the next block begins with one, if there is any
      }
      at += next.size();
      inside = next.what == kind::first || next.what == kind::middle;
      if (begins)
        numbers.clear();
      numbers += next.content.substr(0, numbers_size - numbers.size());
      if (!torn && !inside) {
        found.first_change = found.end == 0 ? first_change(numbers) : found.first_change;
        found.next_change = first_change(numbers) + (numbers.size() < numbers_size ? 0 : little_endian(numbers.substr(8)));
        found.end = begin + at;
      }
    }
    if (block.size() < block_size)
      return found;
  }
}

void cut_torn_tail(const std::filesystem::path& folder) {
  log_tail later; // the log behind, with anything in it
  for (const auto& path : logs_in(folder)) {
    auto found = look_at(path);
    if (later.end > 0 && (found.end == 0 ? found.torn : found.next_change < later.first_change))
      refuse(path, found.end);
    if (later.end == 0 && found.end < std::filesystem::file_size(path))
      durably(path, [&](int file) { return ::ftruncate(file, static_cast<off_t>(found.end)) == 0; });
    if (found.end > 0)
      later = found;
  }
}

} // namespace segue::rocksdb_engine
