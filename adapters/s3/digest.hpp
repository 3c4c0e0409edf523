// What is told about bytes so that others can see whether they are still the same.
#pragma once

#include <string>
#include <string_view>

namespace segue::s3 {

/// In hexadecimal digits, lower case.
std::string sha256_of(std::string_view bytes);

/// Empty when this machine's rules forbid MD5.
std::string md5_of(std::string_view bytes);

} // namespace segue::s3
