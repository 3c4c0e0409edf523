#include "http/address_book.hpp"

namespace segue::http {

asio::awaitable<caf::expected<tenant_services>> address_book::services(session& asker) {
  if (services_ && *services_->directory && *services_->manager)
    co_return services_->services;
  resolve_tenant question;
  auto found = co_await asker.ask(tenant_, question);
  if (found)
    services_ = known_services{*found, watch(found->directory), watch(found->manager)};
  co_return found;
}

asio::awaitable<caf::expected<stream_opened>> address_book::stream(session& asker, std::string path) {
  if (auto known = streams_.find(path); known != streams_.end() && *known->second.lives)
    co_return known->second.opened;
  auto all = co_await services(asker);
  if (!all)
    co_return all.error();
  find_stream question{path};
  auto found = co_await asker.ask(all->directory, std::move(question));
  if (!found)
    co_return found.error();
  if (streams_.size() >= most_streams)
    streams_.clear();
  streams_[path] = {*found, watch(found->stream)};
  co_return found;
}

} // namespace segue::http
