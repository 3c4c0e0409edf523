// Every metric of Segue on one page. Actors keep references to their own: no look-ups on the hot path.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <string>

namespace segue {

class metrics {
public:
  metrics();

  /// Everything in Prometheus' text format.
  std::string render() const;

  /// How far away the node of this name is, by the last sign of life; and that it is no more.
  void peer_is_away(const std::string& name, std::chrono::duration<double> far);
  void peer_is_gone(const std::string& name);

private:
  prometheus::Registry registry_;
  prometheus::Counter& counter(const char* name, const char* help, const prometheus::Labels& labels = {});
  prometheus::Gauge& gauge(const char* name, const char* help, const prometheus::Labels& labels = {});
  prometheus::Histogram& histogram(const char* name, const char* help, prometheus::Histogram::BucketBoundaries bounds);

public:
  // -- the log
  prometheus::Counter& chunks_appended;   ///< records made durable
  prometheus::Counter& bytes_appended;    ///< their bytes
  prometheus::Counter& appends_duplicate; ///< appends recognised as repetitions
  prometheus::Counter& appends_refused;   ///< appends refused, for whatever reason
  prometheus::Counter& reads_ring;        ///< reads served from memory
  prometheus::Counter& reads_cache;       ///< reads served by the recent-chunk cache
  prometheus::Counter& reads_store;       ///< reads served by the chunk store
  prometheus::Counter& reads_object;      ///< reads served by the object store
  prometheus::Counter& reads_refused;     ///< reads refused because too many were parked
  prometheus::Gauge& streams_live;        ///< streams with an actor
  prometheus::Gauge& readers_parked;      ///< reads waiting at a tail

  // -- stores
  prometheus::Counter& commits;             ///< synced writes
  prometheus::Counter& commits_failed;      ///< writes whose outcome is unknown
  prometheus::Histogram& commit_seconds;    ///< time of one synced write
  prometheus::Histogram& commit_writes;     ///< stream writes in one synced write

  // -- transfers
  prometheus::Counter& transfers_done;
  prometheus::Counter& transfers_failed; ///< attempts that are followed by another one
  prometheus::Counter& transfers_dead;   ///< the last attempt failed: somebody has to decide
  prometheus::Gauge& transfers_running;
  prometheus::Counter& transferred_bytes;

  // -- generations
  prometheus::Counter& generations_accepted;
  prometheus::Counter& generations_refused; ///< because the queue was full
  prometheus::Counter& generations_completed;
  prometheus::Counter& generations_failed;
  prometheus::Counter& generations_cancelled;
  prometheus::Counter& attempts_broken;     ///< attempts that broke off and are followed by another one
  prometheus::Gauge& generations_queued;
  prometheus::Gauge& generations_running;

  // -- the edge
  prometheus::Gauge& connections;             ///< open sockets
  prometheus::Counter& connections_refused;   ///< beyond the bound
  prometheus::Counter& requests;              ///< HTTP requests answered
  prometheus::Counter& requests_failed_client; ///< answered with a 4xx
  prometheus::Counter& requests_failed_server; ///< answered with a 5xx
  prometheus::Counter& bytes_sent;            ///< body bytes handed to sockets
  prometheus::Counter& bytes_uncopied;        ///< of them, of finished pieces, from the pages that hold them
  prometheus::Gauge& listeners;               ///< live listeners at the tail of their stream
  prometheus::Counter& listeners_lagged;      ///< how often one left the tail because its socket was full
  prometheus::Counter& listeners_cut;         ///< cut off because too much waited for slow listeners
  prometheus::Gauge& bytes_waiting;           ///< for listeners who are slow
  prometheus::Counter& frames_built;          ///< frames made at tails, each for all listeners of one format
  prometheus::Counter& frames_sent;           ///< how often those were given to a socket

  // -- other nodes
  prometheus::Gauge& peers_joined;         ///< nodes at the other ends of links
  prometheus::Family<prometheus::Gauge>& peer_round_trips; ///< seconds, of the last sign of life on each link
  prometheus::Counter& link_reconnects;    ///< links that broke
  prometheus::Gauge& relayed_streams;      ///< streams of another node that are read here
  prometheus::Counter& relay_reads;        ///< reads that were sent to the owner, for however many readers
  prometheus::Counter& relayed_read;       ///< bytes that came from the owner
  prometheus::Counter& relayed_append;     ///< bytes of appends that the owner has acknowledged
  prometheus::Counter& relay_refused;      ///< requests refused because too much was on its way
  prometheus::Counter& joins_refused;      ///< nodes that wanted to join and may not

  // -- supervision
  prometheus::Gauge& tenants_away; ///< tenants whose stores were not reached since the server began
  prometheus::Counter& restarts; ///< actors restarted by their parent
};

} // namespace segue
