#define CAF_SUITE adapters.cluster.secrecy

#include "adapters/cluster/secrecy.hpp"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <csignal>
#include <functional>
#include <future>
#include <thread>

#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/test.hpp"

using namespace segue::cluster;
using namespace std::chrono_literals;

namespace {

const std::string key(64, 'k');

deadline soon() { return std::chrono::steady_clock::now() + 5s; }

template <class T>
using owned = std::unique_ptr<T, void (*)(T*)>;

/// A certificate that anybody can make for themselves.
void show_certificate(SSL_CTX* x) {
  owned<EVP_PKEY> pair{EVP_EC_gen("P-256"), EVP_PKEY_free};
  owned<X509> paper{X509_new(), X509_free};
  ASN1_INTEGER_set(X509_get_serialNumber(paper.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(paper.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(paper.get()), 3600);
  X509_set_pubkey(paper.get(), pair.get());
  auto* name = X509_get_subject_name(paper.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("segue"), -1, -1, 0);
  X509_set_issuer_name(paper.get(), name);
  X509_sign(paper.get(), pair.get(), EVP_sha256());
  SSL_CTX_use_certificate(x, paper.get());
  SSL_CTX_use_PrivateKey(x, pair.get());
}

/// Somebody who does not know the key and has OpenSSL do its best without. Returns whether that believed it was done.
bool stranger(int socket, bool dials) {
  owned<SSL_CTX> with{SSL_CTX_new(TLS_method()), SSL_CTX_free};
  SSL_CTX_set_min_proto_version(with.get(), TLS1_3_VERSION);
  SSL_CTX_set_verify(with.get(), SSL_VERIFY_NONE, nullptr);
  show_certificate(with.get());
  owned<SSL> talk{SSL_new(with.get()), SSL_free};
  SSL_set_fd(talk.get(), socket);
  int done = dials ? SSL_connect(talk.get()) : SSL_accept(talk.get());
  if (done == 1) {
    char byte;
    done = SSL_read(talk.get(), &byte, 1); // an alert, if the other side does not go along
  }
  ::shutdown(socket, SHUT_RDWR);
  return done == 1;
}

/// A socket of ours; at its other end somebody does something meanwhile.
struct fixture {
  int ends[2] = {-1, -1};

  fixture() {
    signal(SIGPIPE, SIG_IGN); // as the program does
    ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
  }
  ~fixture() { ::close(ends[1]); }

  /// Why there is no encryption; empty: there is.
  std::string shake(secrecy::side as, const std::string& with, const std::function<void(int)>& other) {
    auto there = std::async(std::launch::async, other, ends[1]);
    std::string why;
    try {
      wire socket{ends[0]};
      secrecy made{socket, as, with, soon()};
    } catch (const wire_error& e) {
      why = e.what();
    }
    there.wait();
    return why;
  }
};

std::function<void(int)> shakes_as(secrecy::side as) {
  return [as](int socket) {
    wire mine{::dup(socket)};
    try {
      secrecy made{mine, as, key, soon()};
    } catch (const wire_error&) { // the other side says it
    }
  };
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(secrecy_tests, fixture)

CAF_TEST(two sides with one key come together) {
  CAF_CHECK_EQUAL(shake(secrecy::side::caller, key, shakes_as(secrecy::side::host)), "");
}

CAF_TEST(two sides with different keys do not) {
  CAF_CHECK(!shake(secrecy::side::caller, std::string(64, 'x'), shakes_as(secrecy::side::host)).empty());
}

CAF_TEST(who is dialled and shows a certificate instead of the key is not believed) {
  CAF_CHECK(!shake(secrecy::side::caller, key, [](int socket) { stranger(socket, false); }).empty());
}

CAF_TEST(who dials and knows no key is not believed) {
  CAF_CHECK(!shake(secrecy::side::host, key, [](int socket) { stranger(socket, true); }).empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
