#include "http/routes.hpp"

#include "http/handlers/handlers.hpp"

namespace segue::http {

std::vector<route> routes() {
  return {
      {"GET", "/", get_page, role::nobody, "the page"},
      {"GET", "/web/{name}", get_asset, role::nobody, "its parts"},

      {"POST", "/v1/generations", post_generation, role::writer, "start a generation"},
      {"GET", "/v1/generations", get_generations, role::reader, "list generations, newest first"},
      {"GET", "/v1/generations/{id}", get_generation, role::reader, "state and progress of one"},
      {"DELETE", "/v1/generations/{id}", delete_generation, role::writer, "cancel it; with ?purge=true remove every trace"},
      {"GET", "/v1/generations/{id}/audio", get_audio, role::reader, "its sound, while it is made and afterwards"},
      {"GET", "/v1/generations/{id}/download", get_download, role::reader, "the same, as a file"},
      {"GET", "/v1/generations/{id}/events", get_events, role::reader, "its events; ?live=sse follows them"},
      {"GET", "/v1/generations/{id}/transfers", get_transfer_events, role::reader, "how it is archived and fetched back, as events"},
      {"GET", "/v1/users/{user}/generations/{id}/chunks", get_chunks, role::reader, "its sound, for clients that poll"},
      {"GET", "/v1/stream/__ds/{path*}", refuse_reserved, role::reader, "reserved for subscriptions"},
      {"PUT", "/v1/stream/__ds/{path*}", refuse_reserved, role::writer, "likewise"},
      {"POST", "/v1/stream/__ds/{path*}", refuse_reserved, role::writer, "likewise"},
      {"DELETE", "/v1/stream/__ds/{path*}", refuse_reserved, role::writer, "likewise"},
      {"GET", "/v1/stream/{path*}", get_stream, role::reader, "any stream, from ?offset= on; ?live= follows it"},
      {"PUT", "/v1/stream/{path*}", put_stream, role::writer, "create a stream of your own"},
      {"POST", "/v1/stream/{path*}", post_stream, role::writer, "append to it, or close it"},
      {"DELETE", "/v1/stream/{path*}", delete_stream, role::writer, "remove it"},

      {"GET", "/v1/transfers", get_transfers, role::admin, "work between the stores; ?state=dead: what has failed for good"},
      {"GET", "/v1/transfers/{number}", get_transfer, role::admin, "one of them"},
      {"POST", "/v1/transfers/{number}/retry", retry_transfer, role::admin, "try it again"},
      {"DELETE", "/v1/transfers/{number}", drop_transfer, role::admin, "forget it"},

      {"OPTIONS", "/v1/{path*}", answer_preflight, role::nobody, "what a browser asks before a page of somebody else may use any of it"},

      {"GET", "/healthz", get_health, role::nobody, "the process is alive"},
      {"GET", "/readyz", get_readiness, role::nobody, "requests can be served"},
      {"GET", "/metrics", get_metrics, role::nobody, "for Prometheus"},
      {"GET", "/v1/nodes", get_nodes, role::admin, "other nodes: which, in which state, how far away", true},
      {"GET", "/v1/system", get_system, role::admin, "the tree of actors", true},
  };
}

} // namespace segue::http
