// The actor tree, as a parent gathers it from its children.
#pragma once

#include "actors/interfaces.hpp"

#include <chrono>
#include <memory>
#include <vector>

namespace segue {

/// A child as its parent sees it.
struct described_child {
  described_actor actor;
  actor_description known; ///< shown when the child does not answer in time; its `restarts` are always the parent's
};

/// Asks every child for its description and answers `promise` with `own`, its children filled in, once all have
/// answered or missed one second. `self` is the parent.
template <class Self, class Promise>
void gather_description(Self* self, Promise promise, actor_description own, std::vector<described_child> children) {
  if (children.empty()) {
    promise.deliver(std::move(own));
    return;
  }
  struct gathering {
    actor_description own;
    size_t missing;
  };
  auto state = std::make_shared<gathering>(gathering{std::move(own), children.size()});
  state->own.children.resize(children.size());
  for (size_t i = 0; i < children.size(); ++i) {
    auto settle = [state, promise, i, restarts = children[i].known.restarts](actor_description x) mutable {
      x.restarts = restarts;
      state->own.children[i] = std::move(x);
      if (--state->missing == 0)
        promise.deliver(std::move(state->own));
    };
    self->request(children[i].actor, std::chrono::seconds{1}, describe_actor{})
        .then([settle](actor_description& x) mutable { settle(std::move(x)); },
            [settle, known = children[i].known](caf::error&) mutable {
              known.state = "not answering";
              settle(std::move(known));
            });
  }
}

} // namespace segue
