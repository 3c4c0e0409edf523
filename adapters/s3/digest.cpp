#include "adapters/s3/digest.hpp"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

namespace segue::s3 {

namespace {

std::string digest(std::string_view bytes, const EVP_MD* how) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> found;
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), found.data(), &size, how, nullptr) != 1)
    return {};
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += "0123456789abcdef"[found[i] >> 4];
    text += "0123456789abcdef"[found[i] & 15];
  }
  return text;
}

} // namespace

std::string sha256_of(std::string_view bytes) {
  auto text = digest(bytes, EVP_sha256());
  if (text.empty())
    throw std::runtime_error{"OpenSSL has no SHA-256"};
  return text;
}

std::string md5_of(std::string_view bytes) { return digest(bytes, EVP_md5()); }

} // namespace segue::s3
