// Who may come in: what a request shows, and what its route asks for.
#pragma once

#include "http/router.hpp"

namespace segue::http {

/// The API key or token of a request: `Authorization: Bearer …`, or, for what browsers open without headers (sound, WebSockets,
/// event sources), `?access_token=…` of a GET. Empty: none.
std::string credential_of(const exchange::request& x);

/// Whether it is who runs the server: with `--auth` whoever shows the token of `--metrics-token`, else everybody.
bool is_operator(const exchange& x);

/// Whether who asks may use a route. False: the request was answered.
asio::awaitable<bool> admit(exchange& x, const route& to);

/// Refuses what is there, but is somebody else's, as if it were not there.
problem no_such_thing();

} // namespace segue::http
