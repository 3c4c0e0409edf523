#include "actors/tenant/opener.hpp"

#include "actors/log.hpp"

namespace segue {

void opener_state::begin(opener_options options, metrics& m) {
  options_ = std::move(options);
  metrics_ = &m;
  metrics_->tenants_away.Increment();
  self_->delayed_send(self_, options_.pause, reach_stores{});
}

opener_state::~opener_state() {
  if (metrics_)
    metrics_->tenants_away.Decrement();
}

/// However it fails: what is wrong now may have been mended the next time, and nobody else is held up by it.
void opener_state::on(const reach_stores& x) {
  try {
    options_.open();
  } catch (const std::exception& e) {
    if (std::exchange(told_, e.what()) != e.what())
      log::warning("tenant", "stores_away", options_.tenant + ": " + told_ + "; it is tried again");
    return self_->delayed_send(self_, options_.pause, x);
  }
  log::info("tenant", "stores_reached", options_.tenant);
  self_->quit();
}

opener_actor::behavior_type opener(opener_actor::stateful_pointer<opener_state> self, opener_options options, metrics* m) {
  auto& st = self->state;
  st.begin(std::move(options), *m);
  return {[&st](const reach_stores& x) { st.on(x); }};
}

} // namespace segue
