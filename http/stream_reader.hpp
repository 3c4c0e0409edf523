// Reads a stream on behalf of one session, whichever actor holds it at the moment.
#pragma once

#include "http/exchange.hpp"

#include <functional>

namespace segue::http {

class stream_reader {
public:
  /// `registry` knows where a tenant's directory is, when the one that was known has died.
  stream_reader(session& asker, registry_actor registry) : session_(asker), registry_(std::move(registry)) {}

  /// Reads what another reader has found.
  stream_reader(session& asker, const stream_reader& known)
      : session_(asker), registry_(known.registry_), tenant_(known.tenant_), directory_(known.directory_), stream_(known.stream_),
        row_(known.row_) {}

  /// Finds the stream, as `find_visible`.
  asio::awaitable<caf::error> open(const tenant_services& of, std::string path);

  /// From now on it does not matter where records end.
  void join_records() { joined_ = true; }

  /// As `read_chunks`. A stream that retired or died meanwhile is found again, once; one that was removed, and made anew, is
  /// not (`ec::not_found`).
  asio::awaitable<caf::expected<chunk_batch>> read(position after, uint64_t limit, uint32_t wait_ms);

  /// As `read`, and again while the stream cannot be read for a reason that passes, for so long at the most. `meanwhile` is called
  /// before each time.
  asio::awaitable<caf::expected<chunk_batch>> read_patiently(position after, uint64_t limit, uint32_t wait_ms,
      std::chrono::milliseconds patience, std::function<void()> meanwhile = nullptr);

  /// The row as it is now, for who wants to read at a position. Finds again like `read`. On another node than the stream's owner
  /// what is known of its end may be older than what the reader has heard elsewhere: then the owner is asked.
  asio::awaitable<caf::expected<stream_loaded>> inspect(offset_query wanted = {});

  /// The row as it was when it was found: path, id and type never change.
  const stream_row& row() const { return row_; }

  /// Tells streams apart, also those of different tenants: each of them counts its ids by itself. It is another one when the
  /// directory had to be started again.
  using identity = std::pair<caf::actor_addr, stream_id>;
  identity which() const { return {directory_.address(), row_.id}; }

private:
  asio::awaitable<caf::expected<stream_opened>> find_again();
  template <class Request>
  asio::awaitable<caf::expected<reply_of<stream_actor, Request>>> ask(Request request);

  session& session_;
  registry_actor registry_;
  std::string tenant_;
  directory_actor directory_;
  stream_actor stream_;
  stream_row row_;
  bool joined_ = false;
};

/// For tags: tells a stream from every other one there ever was at its path, also in a store that is no more.
std::string identity_of(const stream_row& row);

/// Where a client wants to begin, from the query: `offset`, or the start. Nothing: malformed, or given twice.
std::optional<offset_query> offset_of(const exchange& x);

/// What is told about a bad offset.
problem bad_offset();

/// The position a query means in a stream that ends at `tail`; nothing when it is past the tail.
std::optional<position> resolve(const offset_query& query, position tail);

} // namespace segue::http
