// Who may append next: idempotent producers, checked against what is durable plus what is still pending.
#pragma once

#include "actors/messages.hpp"

#include <map>
#include <optional>

namespace segue {

/// The state of all producers of one stream. A plain class; the stream owns one.
class producers {
public:
  enum class verdict {
    accepted,  ///< new: append it
    duplicate, ///< it, or something after it, was accepted before
    stale,     ///< a newer epoch has written
    gap,       ///< the sequence number before it never came
    bad_start, ///< a new epoch must begin with 0
  };

  /// Starts from what a store knows.
  void load(const std::vector<producer_tag>& durable);

  /// Judges an append, changing nothing.
  verdict judge(const producer_tag& tag) const;

  /// An append judged `accepted` was taken: it counts from now on.
  void accept(const producer_tag& tag) { newest_[tag.id] = tag; }

  size_t size() const { return newest_.size(); }

  /// The newest accepted append of this producer.
  std::optional<producer_tag> last(const std::string& id) const;

private:
  std::map<std::string, producer_tag> newest_;
};

} // namespace segue
