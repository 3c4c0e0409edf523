#include "http/routes.hpp"

#include "http/handlers/handlers.hpp"

namespace segue::http {

std::vector<route> routes() {
  return {
      {"GET", "/", get_page, "the page"},
      {"GET", "/web/{name}", get_asset, "its parts"},

      {"POST", "/v1/generations", post_generation, "start a generation"},
      {"GET", "/v1/generations", get_generations, "list generations, newest first"},
      {"GET", "/v1/generations/{id}", get_generation, "state and progress of one"},
      {"DELETE", "/v1/generations/{id}", delete_generation, "cancel it; with ?purge=true remove every trace"},
      {"GET", "/v1/generations/{id}/audio", get_audio, "its sound, while it is made and afterwards"},
      {"GET", "/v1/generations/{id}/download", get_download, "the same, as a file"},
      {"GET", "/v1/generations/{id}/events", get_events, "its events; ?live=sse follows them"},
      {"GET", "/v1/users/{user}/generations/{id}/chunks", get_chunks, "its sound, for clients that poll"},
      {"GET", "/v1/stream/__ds/{path*}", refuse_reserved, "reserved for subscriptions"},
      {"PUT", "/v1/stream/__ds/{path*}", refuse_reserved, "likewise"},
      {"POST", "/v1/stream/__ds/{path*}", refuse_reserved, "likewise"},
      {"DELETE", "/v1/stream/__ds/{path*}", refuse_reserved, "likewise"},
      {"GET", "/v1/stream/{path*}", get_stream, "any stream, from ?offset= on; ?live= follows it"},
      {"PUT", "/v1/stream/{path*}", put_stream, "create a stream of your own"},
      {"POST", "/v1/stream/{path*}", post_stream, "append to it, or close it"},
      {"DELETE", "/v1/stream/{path*}", delete_stream, "remove it"},
      {"OPTIONS", "/v1/stream/{path*}", answer_preflight, "what a browser asks before a page of somebody else may do so"},

      {"GET", "/healthz", get_health, "the process is alive"},
      {"GET", "/readyz", get_readiness, "requests can be served"},
      {"GET", "/metrics", get_metrics, "for Prometheus"},
      {"GET", "/v1/system", get_system, "the tree of actors"},
  };
}

} // namespace segue::http
