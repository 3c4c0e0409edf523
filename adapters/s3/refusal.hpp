// What the store says when it does not do what it was asked for.
#pragma once

#include "adapters/s3/address.hpp"
#include "adapters/s3/request.hpp"

namespace segue::s3 {

/// The name of the error in an answer's XML, such as `NoSuchKey`, or nothing.
std::string error_code(const answer& x);

/// Throws `adapter_error` with what an answer means that is not the one hoped for.
[[noreturn]] void refuse(const address& where, const std::string& doing, const answer& x);

} // namespace segue::s3
