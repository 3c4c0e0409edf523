// Rows of generations that were refused because nobody knows whether they became durable: they must not begin by themselves
// at the next start.
#pragma once

#include "actors/bond.hpp"
#include "actors/interfaces.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>

#include <chrono>

namespace segue {

/// Erases the row, as soon as that is possible, and ends. It ends with its manager, too: the row may begin at the next start then.
inline caf::behavior disown(
    caf::stateful_actor<bond>* self, const manager_actor& manager, const catalogue_actor& catalogue, const std::string& id) {
  constexpr auto pause = std::chrono::seconds{1};
  constexpr auto patience = std::chrono::minutes{1};
  self->state.tie(manager);
  self->send(self, retry_step{});
  return {
      [=](const retry_step&) {
        self->request(catalogue, patience, erase_generation{id})
            .then([self](const generation_purged&) { self->quit(); },
                [self, pause](const caf::error&) { self->delayed_send(self, pause, retry_step{}); });
      },
  };
}

} // namespace segue
