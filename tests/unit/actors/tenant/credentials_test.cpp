#define CAF_SUITE actors.tenant.credentials

#include "actors/tenant/credentials.hpp"

#include "actors/sha256.hpp"

#include <set>

#include "tests/support/tokens.hpp"
#include "tests/support/test.hpp"

using namespace segue;

namespace {

constexpr int64_t now_ms = 1'800'000'000'000;
const std::string secret = "0123456789abcdef0123456789abcdef"; // as short as it may be
const std::string ada = R"({"sub":"ada"})";

std::string token(const std::string& claims, const std::string& header = hs256, const std::string& key = secret,
    const EVP_MD* hash = EVP_sha256()) {
  return signed_token(claims, key, header, hash);
}

/// `user role until`, or `refused`.
std::string checked(const std::string& what, const std::string& key = secret) {
  auto x = check_token(what, key, now_ms);
  if (!x)
    return "refused";
  return x->user_id + " " + to_string(x->may) + (x->until_ms == INT64_MAX ? "" : " " + std::to_string(x->until_ms));
}

std::string checked_claims(const std::string& claims) { return checked(token(claims)); }

/// With ada's name.
std::string checked_with(const std::string& member) { return checked_claims(R"({"sub":"ada",)" + member + "}"); }

/// The tenant, and `token` or `key`; or `nothing`.
std::string claim_of(const std::string& credential) {
  auto x = read_claim(credential);
  return x ? x->tenant + (x->is_token ? " token" : " key") : "nothing";
}

} // namespace

// -- API keys

CAF_TEST(an API key names its tenant and holds a secret of its own) {
  std::set<std::string> keys;
  for (int i = 0; i < 100; ++i) {
    auto key = new_api_key("alpha-2");
    CAF_CHECK(key.starts_with("sk_alpha-2_"));
    CAF_CHECK_EQUAL(key.size(), std::string{"sk_alpha-2_"}.size() + 64);
    CAF_CHECK_EQUAL(key.find_first_not_of("0123456789abcdef", 11), std::string::npos);
    CAF_CHECK(keys.insert(key).second);
    CAF_CHECK_EQUAL(claim_of(key), "alpha-2 key");
  }
}

CAF_TEST(what is kept of a key does not give it away) {
  auto key = new_api_key("alpha");
  auto kept = describe_key(key, "ada", role::writer, "the studio");
  CAF_CHECK_EQUAL(kept.id, key.substr(9, 8));
  CAF_CHECK_EQUAL(kept.hash, sha256_of(key));
  CAF_CHECK_EQUAL(kept.user_id, "ada");
  CAF_CHECK(kept.may == role::writer);
  CAF_CHECK_EQUAL(kept.note, "the studio");
  CAF_CHECK(kept.created_at_ms > 1'500'000'000'000);
  for (const auto& text : {kept.id, kept.hash, kept.note})
    CAF_CHECK_EQUAL(text.find(key.substr(17, 8)), std::string::npos);
}

CAF_TEST(what is no key names nothing) {
  CAF_CHECK_EQUAL(claim_of("sk_alpha_"), "alpha key"); // with a secret that nobody has
  CAF_CHECK_EQUAL(claim_of("sk__5"), " key");
  for (const char* text : {"", "sk_", "sk_alpha", "SK_alpha_5", " sk_alpha_5", "alpha", "Bearer sk_alpha_5"})
    CAF_CHECK_EQUAL(claim_of(text), "nothing");
}

// -- tokens: whose they are

CAF_TEST(a token names its tenant before anything of it is believed) {
  CAF_CHECK_EQUAL(claim_of(token(R"({"sub":"ada","tenant":"alpha"})")), "alpha token");
  CAF_CHECK_EQUAL(claim_of(token(R"({"tenant":"alpha"})", hs256, "another secret")), "alpha token");
  CAF_CHECK_EQUAL(claim_of(token(ada)), " token");
  CAF_CHECK_EQUAL(claim_of(token(R"({"tenant":5})")), " token");
}

CAF_TEST(garbage names nothing and throws nothing) {
  auto good = token(ada);
  for (const std::string& text : {std::string{"."}, std::string{".."}, std::string{"..."}, std::string{"a.b.c"}, good + ".",
           "." + good, good.substr(0, good.rfind('.')), base64url("{") + "." + base64url("{}") + ".", std::string(3, '\0'),
           token("5"), token(""), token(ada, "[]"), token(ada, "{}"), token(ada, R"({"alg":5})"),
           std::string{"\xff.\xfe.\xfd"}}) {
    CAF_CHECK_EQUAL(claim_of(text), "nothing");
    CAF_CHECK_EQUAL(checked(text), "refused");
  }
  CAF_CHECK_EQUAL(claim_of(token("[]")), " token");
  CAF_CHECK_EQUAL(checked(token("[]")), "refused");
}

CAF_TEST(what is too long is not even looked at) {
  auto of_size = [](size_t size) {
    auto text = token(R"({"sub":")" + std::string(size, 'a') + R"("})");
    return std::pair{claim_of(text), text.size()};
  };
  auto [good, good_size] = of_size(2'900);
  auto [bad, bad_size] = of_size(3'100);
  CAF_CHECK(good_size < 4'096 && bad_size > 4'096);
  CAF_CHECK_EQUAL(good, " token");
  CAF_CHECK_EQUAL(bad, "nothing");
  CAF_CHECK_EQUAL(claim_of("sk_alpha_" + std::string(4'096, 'a')), "nothing");
}

// -- tokens: whether they are good

CAF_TEST(a good token says who it is and until when) {
  CAF_CHECK_EQUAL(checked_claims(ada), "ada reader");
  CAF_CHECK_EQUAL(checked_with(R"("role":"reader","exp":1800000001)"), "ada reader 1800000001000");
  CAF_CHECK_EQUAL(checked_with(R"("role":"writer","nbf":1800000000,"iat":1)"), "ada writer");
  CAF_CHECK_EQUAL(checked_with(R"("role":"admin","tenant":"alpha","exp":4102444800)"), "ada admin 4102444800000");
  CAF_CHECK_EQUAL(checked(token(ada, R"({"typ":"JWT","alg":"HS256","kid":"1"})")), "ada reader");
  auto key = std::string(32, '\0') + "longer, and of any bytes\xff";
  CAF_CHECK_EQUAL(checked(token(ada, hs256, key), key), "ada reader");
}

CAF_TEST(another secret is refused) {
  CAF_CHECK_EQUAL(checked(token(ada, hs256, "1123456789abcdef0123456789abcdef")), "refused");
  CAF_CHECK_EQUAL(checked(token(ada, hs256, secret + "0")), "refused");
  CAF_CHECK_EQUAL(checked(token(ada), secret + "0"), "refused");
  CAF_CHECK_EQUAL(checked(token(ada, hs256, "")), "refused");
}

CAF_TEST(a secret that is too short opens nothing) {
  auto weak = secret.substr(1);
  CAF_CHECK_EQUAL(checked(token(ada, hs256, weak), weak), "refused");
  CAF_CHECK_EQUAL(checked(token(ada, hs256, ""), ""), "refused");
  CAF_CHECK_EQUAL(checked(token(ada, R"({"alg":"none"})"), ""), "refused");
}

CAF_TEST(a token that was changed anywhere is refused) {
  auto good = token(R"({"sub":"ada","role":"reader"})");
  for (size_t at = 0; at + 1 < good.size(); ++at) { // the last sign holds bits that mean nothing
    auto changed = good;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    if (changed != good)
      CAF_CHECK_EQUAL(checked(changed), "refused");
  }
  auto signature = good.substr(good.rfind('.'));
  CAF_CHECK_EQUAL(checked(base64url(hs256) + "." + base64url(R"({"sub":"ada","role":"admin"})") + signature), "refused");
}

CAF_TEST(a token without a signature is refused) {
  for (const char* alg : {"none", "None", "NONE", "nOnE", ""}) {
    auto text = base64url(R"({"alg":")" + std::string{alg} + R"("})") + "." + base64url(ada) + ".";
    CAF_CHECK_EQUAL(checked(text), "refused");
    CAF_CHECK_EQUAL(checked(text + base64url(hmac(EVP_sha256(), secret, text.substr(0, text.size() - 1)))), "refused");
  }
  auto good = token(ada);
  CAF_CHECK_EQUAL(checked(good.substr(0, good.rfind('.') + 1)), "refused");
}

CAF_TEST(another algorithm is refused even with the right secret) {
  CAF_CHECK_EQUAL(checked(token(ada, R"({"alg":"HS384"})", secret, EVP_sha384())), "refused");
  CAF_CHECK_EQUAL(checked(token(ada, R"({"alg":"HS512"})", secret, EVP_sha512())), "refused");
  for (const char* alg : {"HS512", "RS256", "RS512", "ES256", "PS256", "EdDSA", "HS256 "})
    CAF_CHECK_EQUAL(checked(token(ada, R"({"alg":")" + std::string{alg} + R"("})")), "refused");
}

CAF_TEST(a token that has ended is refused) {
  CAF_CHECK_EQUAL(checked_with(R"("exp":1800000001)"), "ada reader 1800000001000");
  for (const char* exp : {"1800000000", "1799999999", "0", "-1"})
    CAF_CHECK_EQUAL(checked_with(R"("exp":)" + std::string{exp}), "refused");
}

CAF_TEST(a token whose time has not come is refused) {
  CAF_CHECK_EQUAL(checked_with(R"("nbf":1800000000)"), "ada reader");
  CAF_CHECK_EQUAL(checked_with(R"("nbf":1800000001)"), "refused");
}

CAF_TEST(a time may have a fraction and nothing else) {
  CAF_CHECK_EQUAL(checked_with(R"("exp":1800000000.5)"), "ada reader 1800000000500");
  CAF_CHECK_EQUAL(checked_with(R"("exp":1799999999.5)"), "refused");
  CAF_CHECK_EQUAL(checked_with(R"("nbf":1799999999.5)"), "ada reader");
  CAF_CHECK_EQUAL(checked_with(R"("exp":1.8e9)"), "refused");
  for (const char* time : {R"("1800000001")", R"("never")", "null", "true", "[1800000001]", "{}", R"("")"}) {
    CAF_CHECK_EQUAL(checked_with(R"("exp":)" + std::string{time}), "refused");
    CAF_CHECK_EQUAL(checked_with(R"("nbf":)" + std::string{time}), "refused");
  }
}

CAF_TEST(a time beyond all bounds is no way around it) {
  for (const char* time : {"9223372036854775807", "1e18", "1e30", "1e300"}) {
    CAF_MESSAGE(time);
    CAF_CHECK_EQUAL(checked_with(R"("nbf":)" + std::string{time}), "refused");
    CAF_CHECK_EQUAL(checked_with(R"("exp":-)" + std::string{time}), "refused");
  }
}

CAF_TEST(a token of nobody is refused) {
  for (const char* claims : {"{}", R"({"sub":""})", R"({"sub":5})", R"({"sub":null})", R"({"sub":["ada"]})", R"({"user":"ada"})"})
    CAF_CHECK_EQUAL(checked_claims(claims), "refused");
}

CAF_TEST(a role that nobody knows is refused and not taken for another one) {
  for (const char* role : {R"("owner")", R"("Admin")", R"("nobody")", R"(" admin")", R"("")", "3", R"(["admin"])"}) {
    CAF_MESSAGE(role);
    CAF_CHECK_EQUAL(checked_with(R"("role":)" + std::string{role}), "refused");
  }
}

CAF_TEST(roles are known by their names) {
  CAF_CHECK(read_role("reader") == role::reader);
  CAF_CHECK(read_role("writer") == role::writer);
  CAF_CHECK(read_role("admin") == role::admin);
  for (const char* text : {"", "nobody", "Reader", "admins", "admin "})
    CAF_CHECK(!read_role(text));
}
