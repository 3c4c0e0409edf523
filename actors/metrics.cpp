#include "actors/metrics.hpp"

#include <prometheus/text_serializer.h>

namespace segue {

metrics::metrics()
    : chunks_appended(counter("segue_chunks_appended_total", "Records made durable")),
      bytes_appended(counter("segue_appended_bytes_total", "Bytes made durable")),
      appends_duplicate(counter("segue_appends_duplicate_total", "Appends recognised as repetitions")),
      appends_refused(counter("segue_appends_refused_total", "Appends refused")),
      reads_ring(counter("segue_reads_total", "Reads by the tier that served them", {{"tier", "ring"}})),
      reads_cache(counter("segue_reads_total", "Reads by the tier that served them", {{"tier", "cache"}})),
      reads_store(counter("segue_reads_total", "Reads by the tier that served them", {{"tier", "store"}})),
      reads_object(counter("segue_reads_total", "Reads by the tier that served them", {{"tier", "object"}})),
      reads_refused(counter("segue_reads_refused_total", "Reads refused because too many were parked")),
      streams_live(gauge("segue_streams_live", "Streams that have an actor")),
      readers_parked(gauge("segue_readers_parked", "Reads waiting at the tail of a stream")),
      commits(counter("segue_commits_total", "Synced writes to the chunk store")),
      commits_failed(counter("segue_commits_failed_total", "Writes to the chunk store whose outcome is unknown")),
      commit_seconds(histogram("segue_commit_seconds", "Time of one synced write",
          {.0001, .0002, .0005, .001, .002, .005, .01, .02, .05, .1, .5, 1, 5})),
      commit_writes(histogram("segue_commit_writes", "Stream writes in one synced write", {1, 2, 4, 8, 16, 32, 64, 128})),
      transfers_done(counter("segue_transfers_ended_total", "Attempts of transfers by how they ended", {{"result", "done"}})),
      transfers_failed(counter("segue_transfers_ended_total", "Attempts of transfers by how they ended", {{"result", "failed"}})),
      transfers_dead(counter("segue_transfers_ended_total", "Attempts of transfers by how they ended", {{"result", "dead"}})),
      transfers_running(gauge("segue_transfers_running", "Transfers that are worked on")),
      transferred_bytes(counter("segue_transferred_bytes_total", "Bytes moved between chunk store and object store")),
      generations_accepted(counter("segue_generations_accepted_total", "Generations accepted")),
      generations_refused(counter("segue_generations_refused_total", "Generations refused because the queue was full")),
      generations_completed(counter("segue_generations_ended_total", "Generations by how they ended", {{"state", "completed"}})),
      generations_failed(counter("segue_generations_ended_total", "Generations by how they ended", {{"state", "failed"}})),
      generations_cancelled(counter("segue_generations_ended_total", "Generations by how they ended", {{"state", "cancelled"}})),
      attempts_broken(counter("segue_generation_attempts_broken_total", "Attempts that broke off and were tried again")),
      generations_queued(gauge("segue_generations_queued", "Generations waiting for their turn")),
      generations_running(gauge("segue_generations_running", "Generations being made")),
      connections(gauge("segue_http_connections", "Open connections")),
      connections_refused(counter("segue_http_connections_refused_total", "Connections refused beyond the bound")),
      requests(counter("segue_http_requests_total", "HTTP requests answered")),
      requests_failed_client(counter("segue_http_request_errors_total", "HTTP requests answered with an error", {{"class", "4xx"}})),
      requests_failed_server(counter("segue_http_request_errors_total", "HTTP requests answered with an error", {{"class", "5xx"}})),
      bytes_sent(counter("segue_http_sent_bytes_total", "Body bytes handed to sockets")),
      bytes_uncopied(counter("segue_http_sent_uncopied_bytes_total", "Body bytes of responses that were sent from the pages that hold them")),
      listeners(gauge("segue_listeners", "Live listeners at the tail of their stream")),
      listeners_lagged(counter("segue_listeners_lagged_total", "Listeners who left the tail because their socket was full")),
      listeners_cut(counter("segue_listeners_cut_total", "Listeners cut off because too much waited for slow ones")),
      bytes_waiting(gauge("segue_listener_bytes_waiting", "Bytes that wait for listeners who are slow")),
      frames_built(counter("segue_tail_frames_built_total", "Frames made at tails, each for all listeners of one format")),
      frames_sent(counter("segue_tail_frames_sent_total", "Frames of tails handed to sockets")),
      peers_joined(gauge("segue_peers", "Nodes at the other ends of links", {{"state", "joined"}})),
      peer_round_trips(prometheus::BuildGauge()
                           .Name("segue_peer_round_trip_seconds")
                           .Help("Time of the last sign of life on a link, there and back")
                           .Register(registry_)),
      link_reconnects(counter("segue_link_reconnects_total", "Links to the joined node that broke and were made anew")),
      relayed_streams(gauge("segue_relayed_streams", "Streams of another node that are read here")),
      relay_reads(counter("segue_relay_reads_total", "Reads sent to the owner of a stream, each for all who wait for it here")),
      relayed_read(counter("segue_relayed_bytes_total", "Bytes of streams that went over a link", {{"direction", "read"}})),
      relayed_append(counter("segue_relayed_bytes_total", "Bytes of streams that went over a link", {{"direction", "append"}})),
      relay_refused(counter("segue_relay_refused_total", "Requests refused because too much was on its way over a link")),
      joins_refused(counter("segue_joins_refused_total", "Nodes that wanted to join and may not")),
      tenants_away(gauge("segue_tenants_away", "Tenants whose stores were not reached since the server began")),
      restarts(counter("segue_actor_restarts_total", "Actors restarted by their parent")) {}

void metrics::peer_is_away(const std::string& name, std::chrono::duration<double> far) {
  peer_round_trips.Add({{"peer", name}}).Set(far.count());
}

void metrics::peer_is_gone(const std::string& name) { peer_round_trips.Remove(&peer_round_trips.Add({{"peer", name}})); }

prometheus::Counter& metrics::counter(const char* name, const char* help, const prometheus::Labels& labels) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry_).Add(labels);
}

prometheus::Gauge& metrics::gauge(const char* name, const char* help, const prometheus::Labels& labels) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry_).Add(labels);
}

prometheus::Histogram& metrics::histogram(
    const char* name, const char* help, prometheus::Histogram::BucketBoundaries bounds) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry_).Add({}, std::move(bounds));
}

std::string metrics::render() const { return prometheus::TextSerializer{}.Serialize(registry_.Collect()); }

} // namespace segue
