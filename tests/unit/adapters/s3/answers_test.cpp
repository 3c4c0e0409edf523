// What a store may answer, by a server that does as it is told.
#define CAF_SUITE adapters.s3.answers

#include "actors/utf8.hpp"
#include "adapters/s3/digest.hpp"
#include "adapters/s3/s3_object_store.hpp"

#include "tests/support/model_server.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;

namespace {

void reply(model_connection& x, const std::string& status, const std::string& body, std::string headers = {}) {
  headers += (headers.empty() ? "Content-Length: " : "\nContent-Length: ") + std::to_string(body.size());
  x.answer(status, headers);
  x.send(body);
}

std::string error(const std::string& code, const std::string& more = {}) {
  return "<?xml version=\"1.0\"?>\n<Error><Code>" + code + "</Code>" + more + "</Error>";
}

/// The questions whether a store is there, and what we may do with it. True: it was one of them.
bool answer_check(model_connection& x) {
  if (x.head().find("segue-check&uploads= ") != std::string::npos)
    reply(x, "200 OK", "<?xml version=\"1.0\"?>\n<ListMultipartUploadsResult></ListMultipartUploadsResult>");
  else if (x.head().find("/segue-check ") != std::string::npos)
    reply(x, "404 Not Found", error("NoSuchKey"));
  else
    return false;
  return true;
}

/// A store whose server answers by this script, but for the question whether it is there.
class scripted_store {
public:
  explicit scripted_store(std::function<void(model_connection&)> script, std::chrono::milliseconds patience = 5s)
      : server_([script = std::move(script)](model_connection& x) {
          if (!answer_check(x))
            script(x);
        }),
        store_({url(server_), patience}) {}

  static std::string url(const model_server& server) {
    auto endpoint = server.url();
    return "s3://AKID:PRIVATE@songs/pre?region=here-1&endpoint=" + endpoint.substr(0, endpoint.rfind('/'));
  }

  s3::s3_object_store* operator->() { return &store_; }

private:
  model_server server_;
  s3::s3_object_store store_;
};

struct failure {
  ec code = ec::none;
  std::string text;
};

template <class F>
failure failing(F f) {
  try {
    f();
  } catch (const adapter_error& e) {
    CAF_MESSAGE(e.what());
    failure x{e.code(), e.what()};
    CAF_CHECK_EQUAL(x.text.find("PRIVATE"), std::string::npos);
    CAF_CHECK_EQUAL(x.text.find("AKID"), std::string::npos);
    return x;
  }
  return {};
}

template <class F>
ec code_thrown(F f) {
  return failing(f).code;
}

bool says(const failure& x, const std::string& what) { return x.text.find(what) != std::string::npos; }

/// Reads four bytes from the third on, of what the server answers.
failure reading(const std::string& status, const std::string& body, const std::string& headers = {}) {
  scripted_store store{[&](model_connection& x) { reply(x, status, body, headers); }};
  return failing([&] { store->read("a", 2, 4); });
}

ec finishing(const std::string& status, const std::string& body) {
  scripted_store store{[&](model_connection& x) { reply(x, status, body); }};
  return code_thrown([&] { store->finish_upload("a", "id", {"tag"}); });
}

ec putting(const std::string& headers) {
  scripted_store store{[&](model_connection& x) { reply(x, "200 OK", "", headers); }};
  return code_thrown([&] { store->put("a", "audio/mpeg", std::string{"hello"}); });
}

constexpr const char* md5_of_hello = "5d41402abc4b2a76b9719d911017c592";

} // namespace

CAF_TEST(a credential that may not list uploads is said at once) {
  model_server server{[](model_connection& x) {
    if (x.head().find("uploads= ") != std::string::npos)
      reply(x, "403 Forbidden", error("AccessDenied"));
    else
      answer_check(x);
  }};
  auto refused = failing([&] { s3::s3_object_store{{scripted_store::url(server), 5s}}; });
  CAF_CHECK_EQUAL(refused.code, ec::invalid_argument);
  CAF_CHECK(refused.text.find("looking for uploads") != std::string::npos);
}

CAF_TEST(what is sent is signed and names its hash) {
  std::string head;
  std::string body;
  scripted_store store{[&](model_connection& x) {
    head = x.head();
    body = x.body();
    reply(x, "200 OK", "");
  }};
  store->put("a/b.mp3", "audio/mpeg", std::string{"hello"});
  CAF_MESSAGE(head);
  CAF_CHECK(head.starts_with("PUT /songs/pre/a/b.mp3 HTTP/1.1\r\n"));
  for (auto* line : {"Content-Type: audio/mpeg\r\n", "Content-Length: 5\r\n", "AWS4-HMAC-SHA256 Credential=AKID/",
           "/here-1/s3/aws4_request", "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date",
           "x-amz-content-sha256: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\r\n"})
    CAF_CHECK(head.find(line) != std::string::npos);
  CAF_CHECK_EQUAL(body, "hello");
  CAF_CHECK_EQUAL(head.find("PRIVATE"), std::string::npos);
}

CAF_TEST(a content type that could end a header is not sent) {
  scripted_store store{[](model_connection& x) { reply(x, "200 OK", ""); }};
  CAF_CHECK_EQUAL(code_thrown([&] { store->put("a", "audio/mpeg\r\nx: y", {}); }), ec::invalid_argument);
  CAF_CHECK_EQUAL(code_thrown([&] { store->begin_upload("a", "audio/mpeg\n"); }), ec::invalid_argument);
}

CAF_TEST(every refusal has a meaning) {
  auto means = [](const std::string& status, const std::string& body, ec code, const std::string& text) {
    auto x = reading(status, body);
    CAF_CHECK_EQUAL(x.code, code);
    CAF_CHECK(says(x, text));
  };
  means("404 Not Found", error("NoSuchKey"), ec::not_found, "reading object \"a\" in s3://***@songs/pre");
  means("404 Not Found", error("NoSuchBucket"), ec::invalid_argument, "no such bucket");
  means("403 Forbidden", error("SignatureDoesNotMatch"), ec::invalid_argument, "secret in the URL is wrong");
  means("403 Forbidden", error("AccessDenied", "<Message>no &lt;way&gt;</Message>"), ec::invalid_argument, "no <way>");
  means("403 Forbidden", "", ec::invalid_argument, "access is denied");
  means("403 Forbidden", error("RequestTimeTooSkewed"), ec::unavailable, "clock");
  means("403 Forbidden", error("QuotaExceeded"), ec::storage_full, "quota");
  means("507 Insufficient Storage", error("XMinioStorageFull"), ec::storage_full, "full");
  means("507 Insufficient Storage", "", ec::storage_full, "full");
  means("503 Slow Down", error("SlowDown"), ec::unavailable, "too much to do");
  means("503 Service Unavailable", "<html>", ec::unavailable, "status 503");
  means("500 Internal Server Error", error("InternalError"), ec::unavailable, "InternalError");
  means("429 Too Many Requests", "", ec::unavailable, "status 429");
  means("400 Bad Request", error("RequestTimeout"), ec::timeout, "slow");
  means("400 Bad Request", error("InvalidRequest", "<Message>a\nb</Message>"), ec::invalid_argument, "a b");
  means("404 Not Found", "<html>nginx</html>", ec::unavailable, "is the endpoint right?");
  means("418 Teapot", error(std::string(1'000, 'x')), ec::invalid_argument, "status 418");
}

CAF_TEST(what a store says is cut between characters and is UTF-8) {
  auto long_one = reading("503 Slow", error("SlowDown", "<Message>x" + [] {
    std::string text;
    for (int i = 0; i < 200; ++i)
      text += "é";
    return text;
  }() + "</Message>"));
  CAF_CHECK_EQUAL(long_one.text.back(), '\xa9');
  CAF_CHECK_EQUAL(valid_utf8(long_one.text), long_one.text);
  CAF_CHECK(says(reading("503 Slow", "", "x-amz-bucket-region: m\xf6p\nContent-Type: text/plain"), "503"));
}

CAF_TEST(another region is named) {
  auto moved = reading("301 Moved Permanently", error("PermanentRedirect"), "x-amz-bucket-region: there-2");
  CAF_CHECK_EQUAL(moved.code, ec::invalid_argument);
  CAF_CHECK(says(moved, "say region=there-2"));
  auto malformed = reading("400 Bad Request", error("AuthorizationHeaderMalformed", "<Region>there-3</Region>"));
  CAF_CHECK_EQUAL(malformed.code, ec::invalid_argument);
  CAF_CHECK(says(malformed, "say region=there-3"));
  auto elsewhere = reading("307 Temporary Redirect", error("TemporaryRedirect", "<Endpoint>songs.s3.there.org</Endpoint>"));
  CAF_CHECK_EQUAL(elsewhere.code, ec::invalid_argument);
  CAF_CHECK(says(elsewhere, "say endpoint=https://s3.there.org"));
}

CAF_TEST(a store that refuses the first question is not opened and one that fails is) {
  auto opening = [](const std::string& status, const std::string& code) {
    model_server server{[&](model_connection& x) { reply(x, status, error(code)); }};
    return code_thrown([&] { s3::s3_object_store store{{scripted_store::url(server), 5s}}; });
  };
  CAF_CHECK_EQUAL(opening("403 Forbidden", "AccessDenied"), ec::invalid_argument);
  CAF_CHECK_EQUAL(opening("404 Not Found", "NoSuchBucket"), ec::invalid_argument);
  CAF_CHECK_EQUAL(opening("404 Not Found", "NoSuchKey"), ec::none);
  CAF_CHECK_EQUAL(opening("503 Slow Down", "SlowDown"), ec::none);
  CAF_CHECK_EQUAL(opening("403 Forbidden", "RequestTimeTooSkewed"), ec::none);
}

CAF_TEST(an upload is finished only when the body says so) {
  const std::string done = "<CompleteMultipartUploadResult><ETag></ETag></CompleteMultipartUploadResult>";
  const std::string head = "<?xml version=\"1.0\"?>";
  CAF_CHECK_EQUAL(finishing("200 OK", done), ec::none);
  CAF_CHECK_EQUAL(finishing("200 OK", head + "\n  \n   " + done), ec::none);
  CAF_CHECK_EQUAL(finishing("200 OK", "  \n  " + done), ec::none);
  CAF_CHECK_EQUAL(finishing("200 OK", error("InternalError")), ec::unavailable);
  CAF_CHECK_EQUAL(finishing("200 OK", head + "   " + error("SlowDown").substr(21)), ec::unavailable);
  CAF_CHECK_EQUAL(finishing("200 OK", error("NoSuchUpload")), ec::not_found);
  CAF_CHECK_EQUAL(finishing("200 OK", error("EntityTooSmall")), ec::invalid_argument);
  CAF_CHECK_EQUAL(finishing("200 OK", ""), ec::unavailable);
  CAF_CHECK_EQUAL(finishing("200 OK", done.substr(0, 40)), ec::unavailable);
  CAF_CHECK_EQUAL(finishing("400 Bad Request", error("InvalidPart")), ec::not_found);
}

CAF_TEST(an end that fails is tried again only while there is something to finish) {
  for (auto [there, code] : {std::pair{true, ec::unavailable}, {false, ec::not_found}}) {
    scripted_store store{[there = there](model_connection& x) {
      if (x.head().starts_with("POST"))
        reply(x, "500 Internal Server Error", error("InternalError"));
      else if (there)
        reply(x, "200 OK", "<ListPartsResult></ListPartsResult>");
      else
        reply(x, "404 Not Found", error("NoSuchUpload"));
    }};
    CAF_CHECK_EQUAL(code_thrown([&] { store->finish_upload("a", "id", {"tag"}); }), code);
  }
}

CAF_TEST(the tag of an object tells whether it was kept as it was sent) {
  std::string tag = std::string{"ETag: \""} + md5_of_hello + "\"";
  CAF_CHECK_EQUAL(s3::md5_of("hello"), md5_of_hello);
  CAF_CHECK_EQUAL(putting(tag), ec::none);
  tag[7] = '6';
  CAF_CHECK_EQUAL(putting(tag), ec::unavailable);
  CAF_CHECK_EQUAL(putting(tag + "\nx-amz-server-side-encryption: AES256"), ec::unavailable);
  CAF_CHECK_EQUAL(putting(tag + "\nx-amz-server-side-encryption: aws:kms"), ec::none);
  CAF_CHECK_EQUAL(putting(tag + "\nX-Amz-Server-Side-Encryption-Customer-Algorithm: AES256"), ec::none);
  for (auto* other : {"ETag: \"something else\"", "ETag: \"0123456789abcdef0123456789abcdef-2\"", "ETag:", "X: y"})
    CAF_CHECK_EQUAL(putting(other), ec::none);
  scripted_store store{[](model_connection& x) { reply(x, "200 OK", ""); }};
  CAF_CHECK_EQUAL(code_thrown([&] { store->put_part("a", "id", 1, std::string{"hello"}); }), ec::unavailable);
}

CAF_TEST(a range is believed only when it is the one that was asked for) {
  auto ranged = [](const std::string& range, const std::string& body) {
    return reading("206 Partial Content", body, "Content-Range: " + range).code;
  };
  CAF_CHECK_EQUAL(ranged("bytes 2-5/10", "2345"), ec::none);
  CAF_CHECK_EQUAL(ranged("bytes 2-4/5", "234"), ec::none);
  for (auto* range : {"bytes 0-3/10", "bytes 2-5/*", "bytes 2-5", "bytes 2-6/10", "2-5/10", "bytes 2-5/10x",
           "bytes 2-5/99999999999999999999", "bytes 5-2/10", ""})
    CAF_CHECK_EQUAL(ranged(range, "2345"), ec::unavailable);
  CAF_CHECK_EQUAL(ranged("bytes 2-3/10", "23"), ec::unavailable);
  auto all = reading("200 OK", "0123456789");
  CAF_CHECK_EQUAL(all.code, ec::unavailable);
  scripted_store whole{[](model_connection& x) { reply(x, "200 OK", "0123"); }};
  auto found = whole->read("a", 0, 10);
  CAF_CHECK_EQUAL(found.size, 4u);
  CAF_CHECK_EQUAL(found.bytes.view(), "0123");
}

CAF_TEST(an answer that was cut is none) {
  scripted_store head{[](model_connection& x) { x.send("HTTP/1.1 200 OK\r\nETag: \"x\"\r\n"); }};
  CAF_CHECK_EQUAL(code_thrown([&] { head->put("a", "audio/mpeg", std::string{"x"}); }), ec::unavailable);
  CAF_CHECK_EQUAL(code_thrown([&] { head->erase("a"); }), ec::unavailable);
  scripted_store nothing{[](model_connection&) {}};
  CAF_CHECK_EQUAL(code_thrown([&] { nothing->erase("a"); }), ec::unavailable);
  scripted_store endless{[](model_connection& x) {
    x.answer("206 Partial Content", "Content-Range: bytes 2-5/10");
    while (x.send(std::string(10'000, 'x'))) {
    }
  }};
  CAF_CHECK_EQUAL(code_thrown([&] { endless->read("a", 2, 4); }), ec::unavailable);
}

CAF_TEST(an answer that drips is given up) {
  scripted_store store{[](model_connection& x) {
    x.answer("206 Partial Content", "Content-Length: 1000000\nContent-Range: bytes 0-999999/1000000");
    while (!x.hung_up(20ms) && x.send("x")) {
    }
  }, 500ms};
  auto begun = std::chrono::steady_clock::now();
  CAF_CHECK_EQUAL(code_thrown([&] { store->read("a", 0, 1'000'000); }), ec::timeout);
  CAF_CHECK(std::chrono::steady_clock::now() - begun < 5s);
}
