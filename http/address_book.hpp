// Where the services of tenants and their streams are, as one I/O thread last knew it: who asks again and again, as a
// producer does, need not send two questions through the actors before each append.
#pragma once

#include "http/session.hpp"

#include <atomic>
#include <map>
#include <optional>
#include <string>

namespace segue::http {

/// Asks `of` for the stream at this path, if they may see it. Errors: `ec::not_found`, `ec::gone`, `ec::unavailable`.
asio::awaitable<caf::expected<stream_opened>> find_visible(session& asker, const tenant_services& of, std::string path);

class address_book {
public:
  explicit address_book(registry_actor registry) : registry_(std::move(registry)) {}

  using known_services = std::shared_ptr<const tenant_services>;
  using known_stream = std::shared_ptr<const stream_opened>;

  /// What a credential opens. It is believed for a while: so long a removed one goes on working.
  asio::awaitable<caf::expected<known_services>> services(session& asker, std::string credential);

  /// As `find_visible`, but for what is known already. The stream may retire any time and then
  /// answers `moved`: `forget` it, and ask once more.
  asio::awaitable<caf::expected<known_stream>> stream(session& asker, const tenant_services& of, const std::string& path);

  void forget(const tenant_services& of, const std::string& path) { streams_.erase(key_of(of, path)); }

  /// How much is remembered: credentials, streams, and who is watched.
  size_t size() const { return services_.size() + streams_.size() + lives_.size(); }

private:
  using clock = std::chrono::steady_clock;

  /// True until the actor that it watches has ended.
  using life = std::shared_ptr<std::atomic<bool>>;

  /// Each actor is watched once: what watches it stays with it as long as it lives.
  template <class Handle>
  life watch(const Handle& x) {
    auto [at, fresh] = lives_.try_emplace(x.address());
    if (!fresh && *at->second)
      return at->second;
    auto lives = at->second = std::make_shared<std::atomic<bool>>(true);
    if (auto* actor = caf::actor_cast<caf::abstract_actor*>(x))
      actor->attach_functor([lives] { *lives = false; });
    return lives;
  }

  /// Before one more is noted. Who has ended goes now and then: his memory is kept as long as his address is.
  void tidy();

  static std::string key_of(const tenant_services& of, const std::string& path) { return of.tenant + "\n" + path; }

  struct services_entry {
    known_services services;
    life directory;
    life manager;
    clock::time_point until;
  };

  struct stream_entry {
    known_stream opened;
    life lives;
  };

  static constexpr auto trust = std::chrono::milliseconds{5'000};
  static constexpr size_t most = 1'000; ///< streams, and credentials; then it begins anew
  static constexpr size_t few = 64;     ///< are noted before it is tidied, and may be there beyond `most`

  registry_actor registry_;
  std::map<std::string, services_entry> services_; ///< by credential
  std::map<std::string, stream_entry> streams_;    ///< by tenant and path
  std::map<caf::actor_addr, life> lives_;          ///< of those that are watched
  size_t noted_ = 0;                               ///< since it was last tidied
};

} // namespace segue::http
