// Writes that become durable together: decided here, carried out by one script if nothing has changed meanwhile.
#pragma once

#include "adapters/redis/known_rows.hpp"
#include "adapters/stream_rules.hpp"

#include <set>

namespace segue::redis {

class transaction final : public stream_table {
public:
  /// All outlive it. `server` is connected.
  transaction(connection& server, const key_names& keys, known_rows& known);

  /// Asks for everything that these writes will look at, in two round trips at most.
  void prefetch(std::span<const stream_write> writes);

  // -- stream_table
  const stream_row* find(const std::string& path) override;
  const stream_row* find(stream_id id) override;
  std::vector<producer_tag> producers(stream_id id) override;
  size_t count() const override;
  void insert(stream_row& row) override;
  void save(const stream_row& row) override;
  void put(stream_id id, const chunk& record) override;
  void put(stream_id id, const producer_tag& tag) override;
  void drop_chunks(stream_id id) override;
  void erase(const stream_row& row) override;

  /// Whether records were restored, since this was asked last, that do not follow those that are there; they were left out.
  bool left_gap(stream_id id) { return gaps_.erase(id) > 0; }

  /// Whether it is an evicted stream whose records are not all back: a worker that was slow may believe that they are.
  bool is_incomplete(stream_id id);

  enum class result {
    done,    ///< and durable
    changed, ///< nothing was done: rows are not what we knew, but now we know
    fenced,  ///< nothing was done: the epoch is another one
  };

  /// An empty epoch is not looked at. Throws `ec::storage_full` when nothing was done for lack of room.
  result write(const std::string& epoch);

private:
  /// The end of the records of an evicted stream, which are being put back.
  struct restored_end {
    std::optional<std::string> last; ///< the entry that the script expects there; nothing: it was not looked at
    position end = 0;
  };

  /// Adds a command.
  template <class... Words>
  void run(Words&&... some) {
    commands_.push_back(std::to_string(sizeof...(some)));
    (commands_.emplace_back(std::forward<Words>(some)), ...);
  }

  counters& numbers() const;
  restored_end& end_of(const stream_row& row);
  bool follows(const stream_row& row, const chunk& record);
  void finish(std::map<stream_id, known_row>& written);
  result learn(const reply& answer);

  connection& server_;
  const key_names& keys_;
  known_rows& known_;

  std::map<std::string, stream_id> ids_;                   ///< 0: there is none
  std::map<stream_id, std::optional<stream_row>> rows_;    ///< as they are now
  std::map<stream_id, std::string> expected_;              ///< as they were stored; empty: not there
  std::set<stream_id> saved_;
  std::map<stream_id, restored_end> restored_;
  std::set<stream_id> gaps_;
  new_producers producers_;
  mutable std::optional<counters> counters_; ///< once they are looked at
  words commands_;                           ///< each behind the number of its words
  bool needs_room_ = false;
};

} // namespace segue::redis
