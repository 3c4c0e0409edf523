#include "adapters/cluster/dialer.hpp"

#include "adapters/cluster/basp.hpp"
#include "adapters/cluster/hello.hpp"

#include <caf/io/all.hpp>
#include <caf/typed_response_promise.hpp>

#include <set>

namespace segue::cluster {

namespace {

ec code_for(refusal::kind why) {
  switch (why) {
    case refusal::kind::interface:
      return ec::conflict;
    case refusal::kind::secret:
      return ec::unauthenticated;
    default:
      return ec::unavailable;
  }
}

} // namespace

/// Connects, and says hello.
encrypted dialer_state::meet(const dial_node& x) {
  auto until = std::chrono::steady_clock::now() + options_.patience;
  auto socket = dial(options_.host, options_.port, until);
  caller talk{{x.id, x.name, options_.interface}, options_.secret};
  socket.write_line(talk.greeting(), until);
  auto proof = talk.prove(socket.read_line(until));
  socket.write_line(proof, until);
  talk.believe(socket.read_line(until));
  auto with = std::make_unique<secrecy>(socket, secrecy::side::caller, talk.key(), until);
  return {std::move(socket), std::move(with)};
}

caf::result<node_dialled> dialer_state::on(const dial_node& x) {
  link_ = {};
  auto promise = self_->make_response_promise<caf::typed_response_promise<node_dialled>>();
  try {
    auto met = meet(x);
    link_ = cutter{met.socket.socket()};
    auto scribe = scribe_of(self_->system(), std::move(met));
    self_->request(basp_of(self_->system()), options_.patience, caf::connect_atom_v, std::move(scribe), options_.port)
        .then(
            [promise](const caf::node_id&, caf::strong_actor_ptr& node, const std::set<std::string>&) mutable {
              if (node)
                promise.deliver(node_dialled{caf::actor_cast<node_actor>(node)});
              else
                promise.deliver(caf::make_error(ec::unavailable, std::string{"nobody speaks for the node that was dialled"}));
            },
            [promise](const caf::error&) mutable {
              promise.deliver(caf::make_error(ec::unavailable, std::string{"the link broke before it was made"}));
            });
  } catch (const refusal& why) {
    promise.deliver(caf::make_error(code_for(why.why), std::string{why.what()}));
  } catch (const wire_error& why) {
    promise.deliver(caf::make_error(ec::unavailable, std::string{why.what()}));
  }
  return promise;
}

caf::result<link_heard> dialer_state::on(const hear_link&) const {
  auto quiet = link_.quiet();
  if (quiet == std::chrono::milliseconds::max())
    return caf::make_error(ec::unavailable, std::string{"there is no link"});
  return link_heard{static_cast<uint64_t>(quiet.count())};
}

dialer_actor::behavior_type dialer(dialer_actor::stateful_pointer<dialer_state> self, dialer_options options) {
  auto& st = self->state;
  st.begin(std::move(options));
  return {
      [&st](const dial_node& x) { return st.on(x); },
      [&st](const hear_link& x) { return st.on(x); },
      [&st](const cut_link& x) { st.on(x); },
  };
}

} // namespace segue::cluster
