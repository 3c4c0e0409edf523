// Where the services of the tenant and its streams are, as one I/O thread last knew it: who asks again and again, as a
// producer does, need not send two questions through the actors before each append.
#pragma once

#include "http/session.hpp"

#include <atomic>
#include <map>
#include <optional>
#include <string>

namespace segue::http {

class address_book {
public:
  explicit address_book(tenant_actor tenant) : tenant_(std::move(tenant)) {}

  asio::awaitable<caf::expected<tenant_services>> services(session& asker);

  /// The stream at this path. Errors: `ec::not_found`, `ec::unavailable`. It may retire any time and then answers `moved`:
  /// `forget` it, and ask once more.
  asio::awaitable<caf::expected<stream_opened>> stream(session& asker, std::string path);

  void forget(const std::string& path) { streams_.erase(path); }

private:
  /// True until the actor that it watches has ended.
  using life = std::shared_ptr<std::atomic<bool>>;

  template <class Handle>
  static life watch(const Handle& x) {
    auto lives = std::make_shared<std::atomic<bool>>(true);
    if (auto* actor = caf::actor_cast<caf::abstract_actor*>(x))
      actor->attach_functor([lives] { *lives = false; });
    return lives;
  }

  struct known_services {
    tenant_services services;
    life directory;
    life manager;
  };

  struct known_stream {
    stream_opened opened;
    life lives;
  };

  static constexpr size_t most_streams = 1'000; ///< then it begins anew

  tenant_actor tenant_;
  std::optional<known_services> services_;
  std::map<std::string, known_stream> streams_;
};

} // namespace segue::http
