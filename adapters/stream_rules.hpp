// What every engine decides alike about a write to a stream. The contract suite holds each engine to it.
#pragma once

#include "adapters/ports.hpp"

#include <map>

namespace segue {

/// The rows and records of an engine as one transaction sees and changes them.
class stream_table {
public:
  virtual ~stream_table() = default;

  /// Null: there is none. Valid until the next change.
  virtual const stream_row* find(const std::string& path) = 0;
  virtual const stream_row* find(stream_id id) = 0;
  virtual std::vector<producer_tag> producers(stream_id id) = 0;

  /// Streams of applications, also deleted ones that are kept for their forks.
  virtual size_t count() const = 0;

  /// Gives the row its id.
  virtual void insert(stream_row& row) = 0;
  virtual void save(const stream_row& row) = 0;
  virtual void put(stream_id id, const chunk& record) = 0;
  virtual void put(stream_id id, const producer_tag& tag) = 0;

  /// All records of it.
  virtual void drop_chunks(stream_id id) = 0;

  /// The row and everything of it.
  virtual void erase(const stream_row& row) = 0;
};

/// Applies one write, or changes nothing and says why.
write_outcome apply_write(stream_table& table, const stream_write& write);

/// Whether a write can be done when there is no room for more: what makes room must not be refused together with what wants it.
bool needs_no_room(stream_table& table, const stream_write& write);

/// Producers of which a transaction has put a new state, by stream and name.
using new_producers = std::map<std::pair<stream_id, std::string>, producer_tag>;

/// The producers of a stream as they are after a transaction: those that were stored, and over them those it has put.
std::vector<producer_tag> newest_producers(std::vector<producer_tag> stored, stream_id id, const new_producers& put);

/// Whether a row belongs to those that expire some day.
inline bool expires(const stream_row& row) { return row.ttl_s >= 0 || row.expires_at_ms != 0; }

} // namespace segue
