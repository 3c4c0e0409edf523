#include "http/address_book.hpp"

#include <algorithm>

namespace segue::http {

namespace {

caf::error no_stream(const std::string& path) { return caf::make_error(ec::not_found, "there is no stream " + path); }

} // namespace

asio::awaitable<caf::expected<stream_opened>> find_visible(session& asker, const tenant_services& of, std::string path) {
  find_stream question{path};
  auto found = co_await asker.ask(of.directory, std::move(question));
  bool hidden = found ? !of.may_see(found->row.user_id) : code_of(found.error()) == ec::gone && !of.may_see(owner_of(found.error()));
  if (hidden)
    co_return no_stream(path);
  co_return found;
}

asio::awaitable<caf::expected<address_book::known_services>> address_book::services(session& asker, std::string credential) {
  auto now = clock::now();
  if (auto known = services_.find(credential); known != services_.end() && now < known->second.until
      && *known->second.directory && *known->second.manager)
    co_return known->second.services;
  resolve_tenant question{credential};
  auto found = co_await asker.ask(registry_, std::move(question));
  if (!found)
    co_return found.error();
  tidy();
  auto left = std::clamp<int64_t>(found->until_ms - unix_now_ms(), 0, trust.count());
  auto services = std::make_shared<const tenant_services>(std::move(*found));
  services_[std::move(credential)] = {services, watch(services->directory), watch(services->manager),
      now + std::chrono::milliseconds{left}};
  co_return services;
}

void address_book::tidy() {
  if (++noted_ < few)
    return;
  noted_ = 0;
  auto now = clock::now();
  std::erase_if(services_, [now](const auto& x) { return x.second.until < now; });
  std::erase_if(streams_, [](const auto& x) { return !*x.second.lives; });
  std::erase_if(lives_, [](const auto& x) { return !*x.second; });
  if (services_.size() >= most)
    services_.clear();
  if (streams_.size() >= most)
    streams_.clear();
  if (lives_.size() >= 2 * most)
    lives_.clear();
}

asio::awaitable<caf::expected<address_book::known_stream>> address_book::stream(
    session& asker, const tenant_services& of, const std::string& path) {
  auto key = key_of(of, path);
  auto known = streams_.find(key);
  if (known == streams_.end() || !*known->second.lives) {
    auto found = co_await find_visible(asker, of, path);
    if (!found)
      co_return found.error();
    tidy();
    auto lives = watch(found->stream);
    known = streams_.insert_or_assign(key, stream_entry{std::make_shared<const stream_opened>(std::move(*found)), lives}).first;
  }
  if (!of.may_see(known->second.opened->row.user_id))
    co_return no_stream(path);
  co_return known->second.opened;
}

} // namespace segue::http
