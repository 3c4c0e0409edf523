#include "adapters/archive_reading.hpp"

#include <algorithm>

namespace segue {

std::shared_ptr<const manifest> archive_reader::manifest_of(const std::string& path) {
  {
    std::lock_guard lock{mutex_};
    auto known = std::find_if(recent_.begin(), recent_.end(), [&](const entry& x) { return x.first == path; });
    if (known != recent_.end()) {
      recent_.splice(recent_.begin(), recent_, known);
      return known->second;
    }
  }
  auto text = objects_->read(manifest_key(path), 0, longest_manifest);
  auto found = std::make_shared<const manifest>(manifest::read(text.bytes.view()));
  std::lock_guard lock{mutex_};
  recent_.emplace_front(path, found);
  records_ += found->records();
  while (recent_.size() > 1 && (recent_.size() > most_manifests || records_ > most_records)) {
    records_ -= recent_.back().second->records();
    recent_.pop_back();
  }
  return found;
}

chunk_batch archive_reader::read(const load_archived& x) {
  try {
    auto known = manifest_of(x.path);
    auto part = known->covering(x.after, x.limit);
    if (part.length == 0)
      throw bad_archive{"an archived piece ends before position " + std::to_string(x.after)};
    auto bytes = objects_->read(bytes_key(x.path), part.from, part.length);
    auto records = known->cut(part.from, bytes.bytes);
    while (records.size() > 1 && records.back().start >= x.until)
      records.pop_back();
    if (records.empty() || records.front().start > x.after || records.front().end() <= x.after)
      throw bad_archive{"an archived piece has no record at " + std::to_string(x.after)};
    if (records.back().end() > x.until)
      records.back() = *records.back().until(x.until);
    records.front() = *records.front().from(x.after);
    auto next = records.back().end();
    return {std::move(records), next, x.tail, x.closed};
  } catch (const bad_archive& e) {
    throw adapter_error{ec::corrupt, x.path + ": " + e.what()};
  } catch (const adapter_error& e) {
    if (e.code() == ec::not_found) // the piece is there, and its object is not
      throw adapter_error{ec::corrupt, x.path + ": " + e.what()};
    throw;
  }
}

} // namespace segue
