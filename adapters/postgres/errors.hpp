// What PostgreSQL reports, in our words.
#pragma once

#include "adapters/ports.hpp"

#include <string>

namespace segue::postgres {

/// The SQLSTATE of what libpqxx threw, five letters or digits; empty: it has none.
std::string state_of(const std::exception& e);

/// The SQLSTATE inside a verbose message; empty: it has none.
std::string state_in(const std::string& message);

/// What to throw for a refusal of the server. `where` is shown with it, and what to do about it.
adapter_error refused(const std::string& where, const std::string& state, const std::string& message);

/// Whether a session goes on only as a new one after this: it sits on the wrong server, or was forgotten by it.
bool ends_session(const std::string& state);

/// Whether a transaction was undone only because another one was in its way.
bool gave_way(const std::string& state);

} // namespace segue::postgres
