// What all TLS connections of a server share: certificate, key, and which protocols and ciphers it speaks.
#pragma once

#include <memory>
#include <string>

struct ssl_ctx_st; // OpenSSL's

namespace segue::http {

/// Where certificate and key are, both as PEM. They are read once: who renews them restarts the server.
struct tls_files {
  std::string certificate; ///< the server's own first, then those that vouch for it
  std::string key;         ///< without a pass phrase
};

/// Throws `std::runtime_error` with a sentence that names the file and what is wrong with it.
std::shared_ptr<ssl_ctx_st> make_tls_context(const tls_files& files);

} // namespace segue::http
