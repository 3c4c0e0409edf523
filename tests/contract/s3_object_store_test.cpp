// The S3 adapter and a real server, on a network where everything happens.
#define CAF_SUITE contract.s3_object_store

#include "adapters/s3/digest.hpp"
#include "adapters/s3/refusal.hpp"
#include "adapters/s3/s3_object_store.hpp"
#include "adapters/store_url.hpp"

#include <memory>

#include "tests/support/changing_gate.hpp"
#include "tests/support/engines.hpp"
#include "tests/support/test.hpp"

using namespace segue;
using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

namespace {

struct failure {
  ec code = ec::none;
  std::string text;
};

std::string secret() { return parse_store_url(server_url("SEGUE_TEST_S3")).password; }
std::string access_key() { return parse_store_url(server_url("SEGUE_TEST_S3")).user; }

/// What went wrong; whatever it was, it tells nobody the credentials.
template <class F>
failure failing(F f) {
  try {
    f();
  } catch (const adapter_error& e) {
    CAF_MESSAGE(e.what());
    failure x{e.code(), e.what()};
    CAF_CHECK_EQUAL(x.text.find(secret()), std::string::npos);
    CAF_CHECK_EQUAL(x.text.find(access_key()), std::string::npos);
    return x;
  }
  return {};
}

template <class F>
ec code_thrown(F f) {
  return failing(f).code;
}

bool says(const failure& x, const std::string& what) { return x.text.find(what) != std::string::npos; }

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  auto at = text.find(what);
  if (at == std::string::npos)
    throw std::runtime_error{what + " is not in " + redacted(text)};
  return text.replace(at, what.size(), with);
}

std::string endpoint() { return parse_store_url(server_url("SEGUE_TEST_S3")).query.at("endpoint"); }
std::string url_by_way_of(const changing_gate& gate) { return replaced(s3_url(), endpoint(), gate.url()); }

void pass_to_server(changing_gate& gate, changing_gate::change sent, changing_gate::change answered = {}) {
  gate.open(parse_store_url(endpoint()).port, std::move(sent), std::move(answered));
}

std::unique_ptr<s3::s3_object_store> open(const std::string& url, std::chrono::milliseconds patience = 5s) {
  return std::make_unique<s3::s3_object_store>(s3::options{url, patience});
}

template <class F>
auto time_of(F f) {
  auto begun = clock_type::now();
  f();
  return clock_type::now() - begun;
}

} // namespace

CAF_TEST(a wrong secret or access key or bucket is said at once) {
  auto wrong_secret = failing([] { open(replaced(s3_url(), secret(), secret() + "x")); });
  CAF_CHECK_EQUAL(wrong_secret.code, ec::invalid_argument);
  CAF_CHECK(says(wrong_secret, "the access key or the secret in the URL is wrong"));
  auto wrong_key = failing([] { open(replaced(s3_url(), access_key(), "NOBODY")); });
  CAF_CHECK_EQUAL(wrong_key.code, ec::invalid_argument);
  CAF_CHECK(says(wrong_key, "the access key or the secret in the URL is wrong"));
  auto no_bucket = failing([] { open(replaced(s3_url(), "@", "@no-such-bucket-")); });
  CAF_CHECK_EQUAL(no_bucket.code, ec::invalid_argument);
  CAF_CHECK(says(no_bucket, "there is no such bucket"));
  CAF_CHECK(says(no_bucket, "no-such-bucket-"));
}

CAF_TEST(the server refuses bytes that do not match their hash) {
  s3::client client{s3::parse_address(s3_url()), 5s};
  s3::request what{"writing", "PUT", "a"};
  what.headers = {"Content-Type: audio/mpeg"};
  what.body = "right";
  CAF_CHECK_EQUAL(client.send(what).status, 200);
  changing_gate gate;
  pass_to_server(gate, [](std::string& bytes) {
    if (auto at = bytes.find("\r\n\r\nwrong"); at != std::string::npos)
      bytes[at + 4] = 'W';
    return true;
  });
  s3::client spoiled{s3::parse_address(url_by_way_of(gate)), 5s};
  what.body = "wrong";
  auto answer = spoiled.send(what);
  CAF_CHECK_EQUAL(answer.status, 400);
  CAF_CHECK_EQUAL(s3::error_code(answer), "XAmzContentSHA256Mismatch");
}

CAF_TEST(an object or a part whose bytes change on their way is not kept) {
  changing_gate gate;
  std::atomic<bool> spoiling{false};
  pass_to_server(gate, [&](std::string& bytes) {
    auto at = spoiling ? bytes.find("aaaaaaaa") : std::string::npos;
    if (at != std::string::npos)
      bytes[at] = 'b';
    return true;
  });
  auto store = open(url_by_way_of(gate));
  auto id = store->begin_upload("big", "audio/mpeg");
  spoiling = true;
  for (size_t size : {100, 100'000, 3'000'000}) {
    payload bytes{std::string(size, 'a')};
    auto put = failing([&] { store->put("a", "audio/mpeg", bytes); });
    CAF_CHECK_EQUAL(put.code, ec::unavailable);
    CAF_CHECK(says(put, "the bytes changed on their way"));
    CAF_CHECK_EQUAL(code_thrown([&] { store->put_part("big", id, 1, bytes); }), ec::unavailable);
  }
  spoiling = false;
  CAF_CHECK_EQUAL(code_thrown([&] { store->read("a", 0, 1); }), ec::not_found);
  store->put("a", "audio/mpeg", std::string(100, 'a'));
  CAF_CHECK(store->read("a", 0, 1).size == 100);
}

CAF_TEST(a store that is not there is waited for) {
  changing_gate gate;
  auto store = open(url_by_way_of(gate));
  CAF_CHECK_EQUAL(code_thrown([&] { store->put("a", "audio/mpeg", std::string{"x"}); }), ec::unavailable);
  CAF_CHECK_EQUAL(code_thrown([&] { store->read("a", 0, 1); }), ec::unavailable);
  CAF_CHECK_EQUAL(code_thrown([&] { store->erase("a"); }), ec::unavailable);
  pass_to_server(gate, {});
  store->put("a", "audio/mpeg", std::string{"x"});
  CAF_CHECK(store->read("a", 0, 1).size == 1);
}

CAF_TEST(a store that never answers is given up in time) {
  changing_gate gate;
  gate.listen();
  std::unique_ptr<s3::s3_object_store> store;
  CAF_CHECK(time_of([&] { store = open(url_by_way_of(gate), 200ms); }) < 2s);
  auto given_up = [&](auto call) {
    CAF_CHECK(time_of([&] { CAF_CHECK_EQUAL(code_thrown(call), ec::timeout); }) < 3s);
  };
  given_up([&] { store->put("a", "audio/mpeg", std::string{"x"}); });
  given_up([&] { store->put("a", "audio/mpeg", std::string(8 << 20, 'x')); });
  given_up([&] { store->put_part("a", "id", 1, std::string(5 << 20, 'x')); });
  given_up([&] { store->finish_upload("a", "id", {"x"}); });
  given_up([&] { store->read("a", 0, 8 << 20); });
  given_up([&] { store->erase("a"); });
}

CAF_TEST(a connection that the server has closed meanwhile is replaced) {
  changing_gate gate;
  pass_to_server(gate, {});
  auto store = open(url_by_way_of(gate));
  for (int i = 0; i < 3; ++i) {
    store->put("a", "audio/mpeg", std::string(1'000, 'x'));
    gate.cut();
    CAF_CHECK(store->read("a", 0, 10).size == 1'000);
    gate.cut();
  }
}

CAF_TEST(a connection that is cut in the middle of a body is told from its end) {
  changing_gate gate;
  std::atomic<size_t> left{SIZE_MAX};
  auto let_through = [&](std::string& bytes) {
    auto passes = bytes.size() <= left;
    left -= passes && left != SIZE_MAX ? bytes.size() : 0;
    return passes;
  };
  pass_to_server(gate, let_through, let_through);
  auto store = open(url_by_way_of(gate));
  std::string bytes(2'000'000, 'x');
  store->put("a", "audio/mpeg", bytes);
  left = 1'000'000;
  CAF_CHECK_EQUAL(code_thrown([&] { store->read("a", 0, bytes.size()); }), ec::unavailable);
  left = 1'000'000;
  CAF_CHECK_EQUAL(code_thrown([&] { store->put("b", "audio/mpeg", bytes); }), ec::unavailable);
  left = SIZE_MAX;
  CAF_CHECK_EQUAL(code_thrown([&] { store->read("b", 0, 1); }), ec::not_found);
  CAF_CHECK(store->read("a", 0, bytes.size()).bytes.view() == bytes);
}

CAF_TEST(prefixes keep objects of one bucket apart) {
  auto url = s3_url();
  auto inner = url;
  inner.insert(inner.find('?'), "/inner/");
  auto first = open(url);
  auto second = open(inner);
  first->put("a", "audio/mpeg", std::string{"first"});
  CAF_CHECK_EQUAL(code_thrown([&] { second->read("a", 0, 1); }), ec::not_found);
  second->put("a", "audio/mpeg", std::string{"second"});
  CAF_CHECK(first->read("a", 0, 10).size == 5);
  CAF_CHECK(first->read("inner/a", 0, 10).size == 6);
}
