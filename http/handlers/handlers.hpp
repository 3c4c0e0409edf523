// Every handler of the edge; `routes.cpp` says which path leads to which.
#pragma once

#include "http/exchange.hpp"

namespace segue::http {

// -- generations
asio::awaitable<void> post_generation(exchange& x);
asio::awaitable<void> get_generation(exchange& x);
asio::awaitable<void> get_generations(exchange& x);
asio::awaitable<void> delete_generation(exchange& x);

/// The row that `{id}` names, if who asks may see it and, with a user id, it is that user's; an answered request and nothing
/// when there is none. One that is being purged is there for nobody but who purges it.
asio::awaitable<std::optional<generation_row>> find_row(exchange& x, std::string user_id = {}, bool purges = false);

// -- sound
asio::awaitable<void> get_audio(exchange& x);
asio::awaitable<void> get_download(exchange& x);

// -- streams
asio::awaitable<void> get_stream(exchange& x);
asio::awaitable<void> put_stream(exchange& x);
asio::awaitable<void> post_stream(exchange& x);
asio::awaitable<void> delete_stream(exchange& x);
asio::awaitable<void> answer_preflight(exchange& x);
asio::awaitable<void> refuse_reserved(exchange& x);
asio::awaitable<void> get_events(exchange& x);
asio::awaitable<void> get_transfer_events(exchange& x);
asio::awaitable<void> get_chunks(exchange& x);

// -- transfers
asio::awaitable<void> get_transfers(exchange& x);
asio::awaitable<void> get_transfer(exchange& x);
asio::awaitable<void> retry_transfer(exchange& x);
asio::awaitable<void> drop_transfer(exchange& x);

// -- operations
asio::awaitable<void> get_health(exchange& x);
asio::awaitable<void> get_readiness(exchange& x);
asio::awaitable<void> get_metrics(exchange& x);
asio::awaitable<void> get_nodes(exchange& x);
asio::awaitable<void> get_system(exchange& x);

// -- the page
asio::awaitable<void> get_page(exchange& x);
asio::awaitable<void> get_asset(exchange& x);

} // namespace segue::http
