#define CAF_SUITE adapters.http_generator.answer

#include "adapters/http_generator/answer.hpp"

#include "adapters/ports.hpp"

#include "tests/support/test.hpp"

using namespace segue;
using namespace segue::http_generator;

namespace {

std::string refusal(const std::string& value) {
  try {
    read_ms("X-Ms", value);
    return "accepted";
  } catch (const adapter_error& e) {
    return to_string(e.code()) + " " + e.what();
  }
}

} // namespace

CAF_TEST(what may pass is asked again) {
  for (long status : {408, 429, 500, 502, 503, 504, 599})
    CAF_CHECK(may_pass(status));
  for (long status : {201, 204, 206, 301, 302, 400, 401, 403, 404, 405, 409, 413, 415, 422, 428})
    CAF_CHECK(!may_pass(status));
}

CAF_TEST(a header in milliseconds is a whole number of a day at most) {
  CAF_CHECK_EQUAL(read_ms("X-Ms", std::nullopt), 0u);
  CAF_CHECK_EQUAL(read_ms("X-Ms", "0"), 0u);
  CAF_CHECK_EQUAL(read_ms("X-Ms", "240"), 240u);
  CAF_CHECK_EQUAL(read_ms("X-Ms", "86400000"), 86'400'000u);
  for (const char* bad : {"", "-1", "+1", "1.5", "1e3", "240ms", " 240", "86400001", "99999999999999999999"})
    CAF_CHECK_EQUAL(refusal(bad), "invalid_argument the model's header X-Ms is \"" + std::string{bad}
            + "\"; it must be a whole number of milliseconds, at most 86400000");
}

CAF_TEST(what a model says is quoted on one line) {
  CAF_CHECK_EQUAL(quotation("no such voice"), "; it said: \"no such voice\"");
  CAF_CHECK_EQUAL(quotation("  {\r\n\t\"error\":  1\n}\n"), "; it said: \"{ \"error\": 1 }\"");
  CAF_CHECK_EQUAL(quotation(""), "");
  CAF_CHECK_EQUAL(quotation(" \n"), "");
}

CAF_TEST(a long text is cut at 200 characters) {
  std::string umlauts;
  for (int i = 0; i < 300; ++i)
    umlauts += "\xc3\xa4";
  CAF_CHECK_EQUAL(quotation(umlauts), "; it said: \"" + umlauts.substr(0, 400) + "\"");
  CAF_CHECK_EQUAL(quotation(std::string(200, 'x')), "; it said: \"" + std::string(200, 'x') + "\"");
  CAF_CHECK_EQUAL(quotation(std::string(201, 'x')), "; it said: \"" + std::string(200, 'x') + "\"");
}

CAF_TEST(bytes that are no UTF8 are repaired) {
  CAF_CHECK_EQUAL(quotation("caf\xe9 closed"), "; it said: \"caf\xef\xbf\xbd closed\"");
  CAF_CHECK_EQUAL(quotation("\xff"), "; it said: \"\xef\xbf\xbd\"");
}

CAF_TEST(what is no text is not quoted) {
  CAF_CHECK_EQUAL(quotation(std::string("RIFF\x24\0\0\0WAVE", 12)), "");
  CAF_CHECK_EQUAL(quotation("\x1b[31mred"), "");
}
