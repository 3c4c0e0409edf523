// What a client sees when something fails: an RFC 9457 body. The only place where codes become statuses.
#pragma once

#include "actors/errors.hpp"

#include <string>

namespace segue::http {

/// Shown to the client, so nothing internal goes in here.
struct problem {
  unsigned status = 500;
  std::string code;   ///< stable, e.g. "not_found"; becomes the type `/problems/<code>`
  std::string title;  ///< the same for every problem of this code
  std::string detail; ///< what was wrong here, and what is allowed
  std::string field;  ///< of the request, if one is to blame
  unsigned retry_after_s = 0; ///< 0: none
};

/// Bad input in one field of a request: 400.
problem bad_field(std::string field, std::string detail);

/// Bad input as a whole, with a status of its own, e.g. 413 "too_large".
problem refused(unsigned status, std::string code, std::string title, std::string detail);

/// What a client is told of an error that came from the actors. Faults of ours keep their details to the log.
problem problem_of(const caf::error& error);

/// The body, `application/problem+json`.
std::string to_json(const problem& x);

} // namespace segue::http
