#define CAF_SUITE http.problem

#include "http/problem.hpp"

#include "actors/lost_answer.hpp"

#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>
#include <nlohmann/json.hpp>

#include <vector>

#include "tests/support/test.hpp"

using namespace segue;
using namespace segue::http;

namespace {

using json = nlohmann::json;

const std::string secret = "/var/lib/segue: IO error, lock held by pid 4711";

std::vector<ec> all_codes() {
  std::vector<ec> result;
  for (int i = 1; i <= static_cast<int>(ec::internal); ++i)
    result.push_back(static_cast<ec>(i));
  return result;
}

} // namespace

CAF_TEST(every code has its status) {
  struct line {
    ec code;
    unsigned status;
  };
  const std::vector<line> lines{{ec::invalid_argument, 400}, {ec::bad_offset, 400}, {ec::not_found, 404}, {ec::gone, 410}, {ec::too_large, 413},
      {ec::conflict, 409}, {ec::closed, 409}, {ec::wrong_type, 409}, {ec::stale_producer, 403}, {ec::producer_gap, 409},
      {ec::busy, 429}, {ec::moved, 503}, {ec::fenced, 503}, {ec::unknown_outcome, 503}, {ec::unavailable, 503},
      {ec::timeout, 503}, {ec::storage_full, 507}, {ec::corrupt, 500}, {ec::unauthenticated, 401}, {ec::internal, 500}};
  CAF_CHECK_EQUAL(lines.size(), all_codes().size());
  for (const auto& [code, status] : lines) {
    CAF_MESSAGE(to_string(code));
    CAF_CHECK_EQUAL(problem_of(caf::make_error(code)).status, status);
  }
}

CAF_TEST(what may have been done is not called undone and nobody is asked to repeat it) {
  auto x = problem_of(lost_answer());
  CAF_CHECK_EQUAL(x.retry_after_s, 0u);
  CAF_CHECK(x.detail.find("may have been done") != std::string::npos);
  CAF_CHECK(problem_of(caf::make_error(ec::unavailable)).retry_after_s > 0);
}

CAF_TEST(a fault of ours never shows its detail) {
  size_t faults = 0;
  for (auto code : all_codes()) {
    auto x = problem_of(caf::make_error(code, secret));
    if (x.status < 500)
      continue;
    ++faults;
    CAF_CHECK(!x.detail.empty());
    for (const char* part : {"/var", "IO error", "4711"})
      CAF_CHECK_EQUAL(to_json(x).find(part), std::string::npos);
  }
  CAF_CHECK_EQUAL(faults, 8u);
}

CAF_TEST(a fault of the client shows what is wrong) {
  for (auto code : all_codes()) {
    auto x = problem_of(caf::make_error(code, std::string{"a sentence"}));
    if (x.status < 500) {
      CAF_CHECK_EQUAL(x.detail, "a sentence");
      CAF_CHECK_EQUAL(x.code, to_string(code));
    }
  }
}

CAF_TEST(errors of the actor system become statuses) {
  CAF_CHECK_EQUAL(problem_of(caf::make_error(caf::sec::request_timeout)).status, 503u);
  CAF_CHECK_EQUAL(problem_of(caf::make_error(caf::sec::request_receiver_down)).status, 503u);
  CAF_CHECK_EQUAL(problem_of(caf::make_error(caf::exit_reason::kill)).status, 503u);
  auto x = problem_of(caf::make_error(caf::sec::runtime_error, secret));
  CAF_CHECK_EQUAL(x.status, 500u);
  CAF_CHECK_EQUAL(x.code, "internal");
  CAF_CHECK_EQUAL(to_json(x).find("4711"), std::string::npos);
}

CAF_TEST(what trying later can mend says when) {
  for (auto code : all_codes()) {
    auto x = problem_of(caf::make_error(code));
    CAF_MESSAGE(to_string(code));
    bool later = x.status == 429 || x.status == 503 || x.status == 507;
    CAF_CHECK_EQUAL(x.retry_after_s > 0, later);
  }
}

CAF_TEST(problems of one code have one title) {
  for (auto code : all_codes()) {
    auto a = problem_of(caf::make_error(code));
    auto b = problem_of(caf::make_error(code, secret));
    CAF_CHECK(!a.title.empty());
    CAF_CHECK_EQUAL(a.title, b.title);
  }
}

CAF_TEST(the title of a conflict is true of whatever is in the way) {
  for (const char* detail : {"the stream exists with type text/plain", "Stream-Seq must be greater than 5", "transfer 5 is running"})
    CAF_CHECK_EQUAL(problem_of(caf::make_error(ec::conflict, std::string{detail})).title, "It does not fit what is there");
}

CAF_TEST(the body is a problem document) {
  auto body = json::parse(to_json(problem_of(caf::make_error(ec::not_found, std::string{"no stream \"x\"\n"}))));
  CAF_CHECK(body
            == (json{{"type", "/problems/not_found"}, {"title", "There is no such thing"}, {"status", 404},
                {"detail", "no stream \"x\"\n"}, {"code", "not_found"}}));
}

CAF_TEST(a bad field is named) {
  auto x = bad_field("seed", "seed must be an integer.");
  CAF_CHECK_EQUAL(x.status, 400u);
  auto body = json::parse(to_json(x));
  CAF_CHECK_EQUAL(body["field"].get<std::string>(), "seed");
  CAF_CHECK_EQUAL(body["code"].get<std::string>(), "invalid_argument");
  CAF_CHECK(!json::parse(to_json(bad_field("", "no object"))).contains("field"));
}

CAF_TEST(a refusal has the status it was given) {
  auto x = refused(413, "too_large", "The body is too large", "At most 1 MiB.");
  CAF_CHECK_EQUAL(x.status, 413u);
  auto body = json::parse(to_json(x));
  CAF_CHECK_EQUAL(body["type"].get<std::string>(), "/problems/too_large");
  CAF_CHECK_EQUAL(body["detail"].get<std::string>(), "At most 1 MiB.");
}

CAF_TEST(a detail that is no UTF8 is repaired) {
  auto body = json::parse(to_json(bad_field("a\xff", "b\xc3")));
  CAF_CHECK_EQUAL(body["detail"].get<std::string>(), "b\xef\xbf\xbd");
  CAF_CHECK_EQUAL(body["field"].get<std::string>(), "a\xef\xbf\xbd");
}
