#include "http/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <cstring>
#include <new>
#include <stdexcept>

namespace segue::http {

namespace {

/// What OpenSSL has just found wrong with a file.
std::string complaint(const std::string& wanted) {
  auto error = ERR_peek_error();
  if (ERR_SYSTEM_ERROR(error))
    return "cannot be read: " + std::string{std::strerror(ERR_GET_REASON(error))};
  auto library = ERR_GET_LIB(error);
  auto what = ERR_GET_REASON(error);
  if ((library == ERR_LIB_PEM && what == PEM_R_NO_START_LINE) || (library == ERR_LIB_OSSL_DECODER && what == ERR_R_UNSUPPORTED))
    return "holds no " + wanted + " in PEM form";
  auto* reason = ERR_reason_error_string(error);
  return "holds no " + wanted + " that can be used: " + (reason ? reason : "unknown error");
}

/// Instead of OpenSSL's own, which asks at the terminal.
int note_pass_phrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

/// We speak HTTP/1.1; a client that wants only something else is told that this is not it.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
    unsigned offered_size, void*) {
  static constexpr unsigned char ours[] = "\x08http/1.1";
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, size, ours, sizeof ours - 1, offered, offered_size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

void read_files(SSL_CTX* into, const tls_files& files) {
  auto certificate = "the TLS certificate " + files.certificate;
  auto key = "the TLS key " + files.key;
  bool locked = false;
  SSL_CTX_set_default_passwd_cb(into, note_pass_phrase);
  SSL_CTX_set_default_passwd_cb_userdata(into, &locked);
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(into, files.certificate.c_str()) != 1)
    throw std::runtime_error{certificate + " " + complaint("certificate")};
  ERR_clear_error();
  if (SSL_CTX_use_PrivateKey_file(into, files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    auto error = ERR_peek_error();
    if (locked)
      throw std::runtime_error{key + " is locked with a pass phrase; give one without"};
    if (ERR_GET_LIB(error) == ERR_LIB_X509)
      throw std::runtime_error{key + " does not belong to the certificate " + files.certificate};
    throw std::runtime_error{key + " " + complaint("private key")};
  }
  if (SSL_CTX_check_private_key(into) != 1)
    throw std::runtime_error{key + " does not belong to the certificate " + files.certificate};
  SSL_CTX_set_default_passwd_cb_userdata(into, nullptr);
}

} // namespace

std::shared_ptr<SSL_CTX> make_tls_context(const tls_files& files) {
  std::shared_ptr<SSL_CTX> made{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
  auto* x = made.get();
  if (!x)
    throw std::bad_alloc{};
  SSL_CTX_set_min_proto_version(x, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(x, "ECDHE+AESGCM:ECDHE+CHACHA20"); // of TLS 1.2; those of 1.3 are good as they are
  SSL_CTX_set_options(x, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_session_cache_mode(x, SSL_SESS_CACHE_OFF); // tickets: what a client resumes, it keeps itself
  SSL_CTX_set_mode(x, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(x, choose_protocol, nullptr);
  read_files(x, files);
  return made;
}

} // namespace segue::http
