// Who may call: under which name, and for which web pages. Without it a page of somebody else could use a server on loopback
// through the browser of whoever looks at it.
#pragma once

#include "http/exchange.hpp"

namespace segue::http {

/// Why this request is not answered; nothing: it is. `host` and `origin` are its headers. The name must be ours, against DNS
/// rebinding; a page of another origin may look, but change something only when `edge::allow_origins` has it.
std::optional<problem> refuse_caller(
    const edge& where, std::string_view method, std::string_view host, std::string_view origin);

/// Whether the page is one of ours, or may use this server. No origin: it is no page.
bool page_allowed(const edge& where, std::string_view host, std::string_view origin);

/// What a browser must see to give the answer to a page of another origin.
void add_cross_origin(header_list& into, const edge& where, std::string_view origin);

} // namespace segue::http
