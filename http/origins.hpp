// Which web pages may use this server from a browser.
#pragma once

#include "http/exchange.hpp"

namespace segue::http {

/// Whether pages of this origin, as a browser names it, may read what is answered: by `edge::allow_origins`.
bool origin_allowed(const edge& where, std::string_view origin);

/// What a browser must see to give such a page the answer; nothing for other pages.
void add_cross_origin(header_list& into, const edge& where, std::string_view origin);

} // namespace segue::http
