// What belongs to the protocol of streams but to no stream.
#include "http/handlers/handlers.hpp"

namespace segue::http {

/// What a browser asks before a page of somebody else may do more than look. Whether this page may is said by
/// `Access-Control-Allow-Origin`, which every response to an allowed page carries.
asio::awaitable<void> answer_preflight(exchange& x) {
  response out{204, {{"Access-Control-Max-Age", "600"},
      {"Access-Control-Allow-Methods", "GET, HEAD, PUT, POST, DELETE"},
      {"Access-Control-Allow-Headers", "Authorization, Content-Type, If-None-Match, Producer-Id, Producer-Epoch, Producer-Seq, "
          "Stream-Closed, Stream-Expires-At, Stream-Fork-Offset, Stream-Fork-Sub-Offset, Stream-Forked-From, Stream-Seq, "
          "Stream-TTL"}}, {}};
  co_await x.send(std::move(out));
}

asio::awaitable<void> refuse_reserved(exchange& x) {
  auto why = refused(501, "not_supported", "There are no subscriptions", "Paths below /v1/stream/__ds/ are reserved for them.");
  co_await x.send_problem(std::move(why));
}

} // namespace segue::http
