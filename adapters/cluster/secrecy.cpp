#include "adapters/cluster/secrecy.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <new>

namespace segue::cluster {

namespace {

constexpr auto identity = "segue";
constexpr size_t renewal = size_t{16} << 30; ///< bytes under one key; AES-GCM is good for twenty times as many

unsigned give(SSL* ssl, unsigned char* into, unsigned most) {
  const auto& key = *static_cast<const std::string*>(SSL_get_app_data(ssl));
  if (key.size() > most)
    return 0;
  std::memcpy(into, key.data(), key.size());
  return static_cast<unsigned>(key.size());
}

unsigned key_of_caller(SSL* ssl, const char*, char* name, unsigned longest, unsigned char* into, unsigned most) {
  if (longest <= std::strlen(identity))
    return 0;
  std::strcpy(name, identity);
  return give(ssl, into, most);
}

unsigned key_of_host(SSL* ssl, const char*, unsigned char* into, unsigned most) { return give(ssl, into, most); }

/// The same for all links of a process; nothing secret is in it.
SSL_CTX* context() {
  static const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> made{[] {
    auto* x = SSL_CTX_new(TLS_method());
    if (!x)
      throw std::bad_alloc{};
    SSL_CTX_set_min_proto_version(x, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(x, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"); // what a key like this goes with
    SSL_CTX_set_session_cache_mode(x, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(x, 0); // nobody resumes: the next hello makes another key
    SSL_CTX_set_mode(x, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_psk_client_callback(x, key_of_caller);
    SSL_CTX_set_psk_server_callback(x, key_of_host);
    return x;
  }(), SSL_CTX_free};
  return made.get();
}

} // namespace

secrecy::secrecy(const wire& over, side which, const std::string& key, deadline until) : ssl_(SSL_new(context()), SSL_free) {
  if (!ssl_ || SSL_set_fd(ssl_.get(), over.socket()) != 1)
    throw std::bad_alloc{};
  SSL_set_app_data(ssl_.get(), const_cast<std::string*>(&key));
  if (which == side::caller) // who shows a certificate instead of the key is not believed: nobody vouches for any
    SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER, nullptr);
  for (;;) {
    ERR_clear_error();
    int done = which == side::caller ? SSL_connect(ssl_.get()) : SSL_accept(ssl_.get());
    if (done == 1)
      break;
    int why = SSL_get_error(ssl_.get(), done);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
      throw wire_error{"no encryption came about"};
    if (!(why == SSL_ERROR_WANT_READ ? readable(over.socket(), until) : writable(over.socket(), until)))
      throw wire_error{"it does not answer"};
  }
  SSL_set_app_data(ssl_.get(), nullptr);
  if (SSL_session_reused(ssl_.get()) != 1) // as OpenSSL calls a session that was made from a key which both had before
    throw wire_error{"the other side encrypts with something else than the key of the hello"};
}

secrecy::progress secrecy::read(void* into, size_t most) {
  ERR_clear_error();
  return of(SSL_read(ssl_.get(), into, static_cast<int>(std::min<size_t>(most, INT_MAX))));
}

secrecy::progress secrecy::write(const void* from, size_t size) {
  ERR_clear_error();
  if (written_ > renewal) {
    SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_NOT_REQUESTED);
    written_ = 0;
  }
  auto done = of(SSL_write(ssl_.get(), from, static_cast<int>(std::min<size_t>(size, INT_MAX))));
  written_ += done.bytes;
  return done;
}

secrecy::progress secrecy::of(int result) {
  if (result > 0)
    return {static_cast<size_t>(result)};
  int why = SSL_get_error(ssl_.get(), result);
  return {0, why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE};
}

size_t secrecy::waiting() const { return static_cast<size_t>(SSL_pending(ssl_.get())); }

} // namespace segue::cluster
