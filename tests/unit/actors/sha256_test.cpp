#define CAF_SUITE actors.sha256

#include "actors/sha256.hpp"

#include "tests/support/test.hpp"

using namespace segue;

// The examples of FIPS 180-2, and of NIST's page on them.
CAF_TEST(known texts have their known sums) {
  CAF_CHECK_EQUAL(sha256_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CAF_CHECK_EQUAL(sha256_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CAF_CHECK_EQUAL(sha256_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CAF_CHECK_EQUAL(sha256_of(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

CAF_TEST(bytes of any value count) {
  CAF_CHECK_EQUAL(sha256_of(std::string(1, '\0')), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  CAF_CHECK_EQUAL(sha256_of("\xbd"), "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b");
}

CAF_TEST(the sum does not know in which parts the bytes came) {
  std::string text(300, '\0');
  for (size_t i = 0; i < text.size(); ++i)
    text[i] = static_cast<char>(i);
  auto whole = sha256_of(text);
  for (size_t step : {1, 7, 63, 64, 65, 299}) {
    sha256 sum;
    for (size_t at = 0; at < text.size(); at += step) {
      sum.add(text.substr(at, step));
      sum.add("");
    }
    CAF_CHECK_EQUAL(sum.digits(), whole);
  }
}

CAF_TEST(a sum that is moved goes on where it was) {
  sha256 first;
  first.add("a");
  auto second = std::move(first);
  second.add("b");
  first = sha256{};
  first = std::move(second);
  first.add("c");
  CAF_CHECK_EQUAL(first.digits(), sha256_of("abc"));
}
