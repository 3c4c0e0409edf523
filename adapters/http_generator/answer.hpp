// What a model says besides its sound: headers, and the text of a refusal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace segue::http_generator {

/// Whether a model that answers with this status may answer otherwise next time.
bool may_pass(long status);

/// The value of a header that is a number of milliseconds: a whole one, of a day at the most. Without a header: 0.
/// Throws `adapter_error{ec::invalid_argument}`.
uint64_t read_ms(const char* header, const std::optional<std::string>& value);

/// For the end of a sentence: `; it said: "…"` with the beginning of a body, at most 200 characters of valid UTF-8 on one
/// line. Empty for an empty body, and for one that is no text.
std::string quotation(std::string_view body);

} // namespace segue::http_generator
