// What two nodes say to each other before anything else, in lines of text: whether they speak the same messages, and that they
// know the same secret, which itself is never sent. A plain class for each side: it is given lines and gives lines.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>

namespace segue::cluster {

/// Who speaks.
struct node_name {
  std::string id;        ///< of letters, digits and hyphens
  std::string name;      ///< for people
  std::string interface; ///< what `interface_digest()` is
};

/// Why two nodes do not come together, said to people on both sides.
struct refusal : std::runtime_error {
  enum class kind {
    interface, ///< their builds differ
    secret,    ///< their secrets do
    nonsense,  ///< the other one is no node
    later,     ///< not now
  };

  refusal(kind why, const std::string& what) : std::runtime_error(what), why(why) {}

  kind why;
};

/// The side that dials. `secret` must not be empty.
class caller {
public:
  caller(node_name self, std::string secret);

  /// Its first line.
  std::string greeting() const;

  /// Its second line, behind the first of the other side. Throws `refusal`.
  std::string prove(const std::string& challenge);

  /// Looks at the last line, in which the other side proves that it knows the secret as well. Throws `refusal`.
  void believe(const std::string& welcome) const;

  /// Of the other side, once it has answered.
  const node_name& other() const { return other_; }

  /// What both sides know now and nobody else, another one for each meeting: to encrypt what follows.
  std::string key() const;

private:
  node_name self_;
  std::string secret_;
  std::string nonce_;
  node_name other_;
  std::string transcript_;
};

/// The side that is dialled.
class host {
public:
  host(node_name self, std::string secret);

  /// Its first line, behind the greeting. Throws `refusal`.
  std::string challenge(const std::string& greeting);

  /// Its last line, behind the proof. Throws `refusal`.
  std::string welcome(const std::string& proof) const;

  const node_name& other() const { return other_; }

  /// The same as the caller's.
  std::string key() const;

private:
  node_name self_;
  std::string secret_;
  std::string nonce_;
  node_name other_;
  std::string transcript_;
};

/// How a refusal is said to the other side, and read again.
std::string refusal_line(const refusal& x);
std::optional<refusal> read_refusal(const std::string& line);

/// No line is longer.
inline constexpr size_t longest_line = 1024;

} // namespace segue::cluster
