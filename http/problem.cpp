#include "http/problem.hpp"

#include "actors/lost_answer.hpp"

#include <nlohmann/json.hpp>

namespace segue::http {

namespace {

struct mapping {
  ec code;
  unsigned status;
  const char* title;
  const char* detail; ///< shown instead of the error's own; null: the error's own may be shown
  unsigned retry_after_s = 0;
};

constexpr const char* later = "A part of the server is not available right now. Nothing was lost; try again.";

constexpr mapping mappings[] = {
    {ec::invalid_argument, 400, "The request is not possible", nullptr},
    {ec::bad_offset, 400, "The offset is not one of this stream", nullptr},
    {ec::not_found, 404, "There is no such thing", nullptr},
    {ec::gone, 410, "It was deleted", nullptr},
    {ec::conflict, 409, "It does not fit what is there", nullptr},
    {ec::closed, 409, "The stream is closed", nullptr},
    {ec::wrong_type, 409, "The content type is not the stream's", nullptr},
    {ec::stale_producer, 403, "A newer epoch of this producer has written", nullptr},
    {ec::producer_gap, 409, "A sequence number was left out", nullptr},
    {ec::busy, 429, "A bound is reached", nullptr, 2},
    {ec::moved, 503, "Not available right now", later, 1},
    {ec::fenced, 503, "Not available right now", later, 1},
    {ec::unknown_outcome, 503, "Not available right now", later, 1},
    {ec::unavailable, 503, "Not available right now", later, 1},
    {ec::timeout, 503, "Not available right now", later, 1},
    {ec::too_large, 413, "It would be too large", nullptr},
    {ec::unauthenticated, 401, "Who asks is not known", nullptr},
    {ec::storage_full, 507, "The storage is full",
        "The server has less free space than its reserve. Everything stored can still be read.", 30},
};

} // namespace

problem bad_field(std::string field, std::string detail) {
  return {400, "invalid_argument", "The request is not possible", std::move(detail), std::move(field)};
}

problem refused(unsigned status, std::string code, std::string title, std::string detail) {
  return {status, std::move(code), std::move(title), std::move(detail), {}};
}

problem problem_of(const caf::error& error) {
  auto code = code_of(error);
  if (is_lost_answer(error)) // nobody is asked to repeat it
    return {503, to_string(code), "Not available right now", may_have_been_done, {}};
  for (const auto& x : mappings)
    if (x.code == code)
      return {x.status, to_string(code), x.title, x.detail ? x.detail : detail_of(error), {}, x.retry_after_s};
  return {500, "internal", "The server has failed", "This is a fault of the server; its log says more.", {}};
}

std::string to_json(const problem& x) {
  nlohmann::ordered_json body{{"type", "/problems/" + x.code}, {"title", x.title}, {"status", x.status},
      {"detail", x.detail}, {"code", x.code}};
  if (!x.field.empty())
    body["field"] = x.field;
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace segue::http
