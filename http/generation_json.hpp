// Generations as JSON: the wish that comes in, the status that goes out.
#pragma once

#include "actors/messages.hpp"
#include "http/problem.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string_view>
#include <variant>

namespace segue::http {

/// Reads the body of `POST /v1/generations`: the request it asks for, or what is wrong with it and what is allowed. Without a
/// `user_id` it is `user`'s.
std::variant<start_generation, problem> read_wish(std::string_view body, const std::string& user = "anonymous");

/// What `user_id` may be, for problem details.
extern const char* const user_id_rule;

/// A generation as clients see it.
nlohmann::ordered_json to_json(const generation_row& row);

/// A name for the downloaded file: the prompt's letters and digits, and ".mp3".
std::string file_name(const generation_row& row);

} // namespace segue::http
