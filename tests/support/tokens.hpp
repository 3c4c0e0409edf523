// Tokens as somebody else signs them: made without the library that reads them.
#pragma once

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdint>
#include <string>

namespace segue {

inline const std::string hs256 = R"({"alg":"HS256","typ":"JWT"})";

inline std::string base64url(const std::string& bytes) {
  constexpr auto digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  uint32_t bits = 0;
  int count = 0;
  for (unsigned char byte : bytes) {
    bits = bits << 8 | byte;
    for (count += 8; count >= 6; count -= 6)
      text += digits[bits >> (count - 6) & 63];
  }
  if (count > 0)
    text += digits[bits << (6 - count) & 63];
  return text;
}

inline std::string hmac(const EVP_MD* hash, const std::string& key, const std::string& text) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(hash, key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(), out, &size);
  return {reinterpret_cast<char*>(out), size};
}

inline std::string signed_token(
    const std::string& claims, const std::string& key, const std::string& header = hs256, const EVP_MD* hash = EVP_sha256()) {
  auto text = base64url(header) + "." + base64url(claims);
  return text + "." + base64url(hmac(hash, key, text));
}

} // namespace segue
