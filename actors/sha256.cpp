#include "actors/sha256.hpp"

#include <openssl/evp.h>

#include <stdexcept>

namespace segue {

struct sha256::state {
  struct closer {
    void operator()(EVP_MD_CTX* x) const { EVP_MD_CTX_free(x); }
  };
  std::unique_ptr<EVP_MD_CTX, closer> context{EVP_MD_CTX_new()};
};

sha256::sha256() : state_(std::make_unique<state>()) {
  if (EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) != 1)
    throw std::runtime_error{"SHA-256 is not available"};
}

sha256::sha256(sha256&&) noexcept = default;
sha256& sha256::operator=(sha256&&) noexcept = default;
sha256::~sha256() = default;

void sha256::add(std::string_view bytes) { EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()); }

std::string sha256::digits() {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_DigestFinal_ex(state_->context.get(), hash, &size);
  constexpr auto hex = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i)
    text += {hex[hash[i] >> 4], hex[hash[i] & 15]};
  return text;
}

std::string sha256_of(std::string_view bytes) {
  sha256 all;
  all.add(bytes);
  return all.digits();
}

} // namespace segue
