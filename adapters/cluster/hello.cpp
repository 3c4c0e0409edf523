#include "adapters/cluster/hello.hpp"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <vector>

namespace segue::cluster {

namespace {

constexpr auto protocol = "segue-node/1";
constexpr std::array kinds{"interface", "secret", "nonsense", "later"};

std::string hex_of(const unsigned char* bytes, size_t size) {
  constexpr auto digits = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < size; ++i) {
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 15];
  }
  return text;
}

std::string fresh_nonce() {
  std::array<unsigned char, 32> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    throw refusal{refusal::kind::later, "this node has no random numbers"};
  return hex_of(bytes.data(), bytes.size());
}

/// `role` keeps what one side has shown from being shown by the other.
std::string proof_of(const std::string& secret, const std::string& role, const std::string& transcript) {
  auto text = role + "\n" + transcript;
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
      bytes.data(), &size);
  return hex_of(bytes.data(), size);
}

/// In a time that does not tell how much of it is right.
bool same(const std::string& a, const std::string& b) { return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }

/// The words of a line; the last one takes the rest.
std::vector<std::string> words_of(const std::string& line, size_t count) {
  std::istringstream in{line};
  std::vector<std::string> words;
  for (std::string word; words.size() + 1 < count && in >> word;)
    words.push_back(word);
  std::string rest;
  std::getline(in >> std::ws, rest);
  if (!rest.empty())
    words.push_back(rest);
  return words;
}

bool is_word(const std::string& text, size_t longest) {
  auto good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.'; };
  return !text.empty() && text.size() <= longest && std::all_of(text.begin(), text.end(), good);
}

/// What people are shown of the other side: no line breaks, nothing that a terminal obeys.
std::string printable(std::string text, size_t longest) {
  std::replace_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; }, '?');
  return text.substr(0, longest);
}

refusal no_node() { return {refusal::kind::nonsense, "the other side does not speak like a node of Segue"}; }

std::string transcript_of(const node_name& caller, const std::string& caller_nonce, const node_name& host, const std::string& host_nonce) {
  return caller.id + "\n" + caller.interface + "\n" + caller_nonce + "\n" + host.interface + "\n" + host_nonce;
}

refusal other_interface(const node_name& self, const node_name& other) {
  return {refusal::kind::interface, "this node speaks interface " + self.interface + ", the other one " + other.interface
      + ": run the same version of segue on both"};
}

refusal other_secret() { return {refusal::kind::secret, "the --cluster-secret is not the same on both nodes"}; }

} // namespace

// -- the side that dials -----------------------------------------------------------------------------------------------------

caller::caller(node_name self, std::string secret) : self_(std::move(self)), secret_(std::move(secret)), nonce_(fresh_nonce()) {}

std::string caller::greeting() const {
  return std::string{protocol} + " " + self_.interface + " " + self_.id + " " + nonce_ + " " + printable(self_.name, 200);
}

std::string caller::prove(const std::string& challenge) {
  if (auto why = read_refusal(challenge))
    throw *why;
  auto words = words_of(challenge, 4);
  if (words.size() < 3 || words[0] != protocol || !is_word(words[1], 64) || !is_word(words[2], 64))
    throw no_node();
  other_ = {{}, words.size() > 3 ? printable(words[3], 200) : "", words[1]};
  if (other_.interface != self_.interface)
    throw other_interface(self_, other_);
  transcript_ = transcript_of(self_, nonce_, other_, words[2]);
  return "proof " + proof_of(secret_, "caller", transcript_);
}

void caller::believe(const std::string& welcome) const {
  if (auto why = read_refusal(welcome))
    throw *why;
  auto words = words_of(welcome, 2);
  if (words.size() != 2 || words[0] != "welcome")
    throw no_node();
  if (!same(words[1], proof_of(secret_, "host", transcript_)))
    throw other_secret();
}

std::string caller::key() const { return proof_of(secret_, "key", transcript_); }

// -- the side that is dialled --------------------------------------------------------------------------------------------------

host::host(node_name self, std::string secret) : self_(std::move(self)), secret_(std::move(secret)), nonce_(fresh_nonce()) {}

std::string host::challenge(const std::string& greeting) {
  auto words = words_of(greeting, 5);
  bool good = words.size() >= 4 && words[0] == protocol && is_word(words[1], 64) && is_word(words[2], 64) && is_word(words[3], 64);
  if (!good)
    throw no_node();
  other_ = {words[2], words.size() > 4 ? printable(words[4], 200) : "", words[1]};
  if (other_.interface != self_.interface)
    throw other_interface(self_, other_);
  transcript_ = transcript_of(other_, words[3], self_, nonce_);
  return std::string{protocol} + " " + self_.interface + " " + nonce_ + " " + printable(self_.name, 200);
}

std::string host::welcome(const std::string& proof) const {
  if (auto why = read_refusal(proof))
    throw *why;
  auto words = words_of(proof, 2);
  if (words.size() != 2 || words[0] != "proof")
    throw no_node();
  if (!same(words[1], proof_of(secret_, "caller", transcript_)))
    throw other_secret();
  return "welcome " + proof_of(secret_, "host", transcript_);
}

std::string host::key() const { return proof_of(secret_, "key", transcript_); }

// -- refusals ----------------------------------------------------------------------------------------------------------------

std::string refusal_line(const refusal& x) {
  return "refused " + std::string{kinds[static_cast<size_t>(x.why)]} + " " + printable(x.what(), 400);
}

std::optional<refusal> read_refusal(const std::string& line) {
  auto words = words_of(line, 3);
  if (words.size() < 2 || words[0] != "refused")
    return std::nullopt;
  auto kind = std::find(kinds.begin(), kinds.end(), words[1]);
  if (kind == kinds.end())
    return no_node();
  auto told = words.size() > 2 ? printable(words[2], 400) : "";
  return refusal{static_cast<refusal::kind>(kind - kinds.begin()), "the node that was dialled refuses: " + told};
}

} // namespace segue::cluster
