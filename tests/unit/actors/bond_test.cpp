#define CAF_SUITE actors.bond

#include "actors/bond.hpp"

#include <caf/all.hpp>

#include "tests/support/actor_fixture.hpp"

using namespace segue;

namespace {

caf::behavior bound(caf::stateful_actor<bond>* self, const caf::actor& other) {
  self->state.tie(other);
  return {[](int) {}};
}

caf::behavior other(caf::event_based_actor*) {
  return {[](int) {}};
}

struct fixture : test_coordinator_fixture<> {
  caf::actor long_lived = sys.spawn(other);
  caf::actor short_lived = sys.spawn(bound, long_lived);
  caf::weak_actor_ptr memory = caf::actor_cast<caf::weak_actor_ptr>(short_lived);

  fixture() { run(); }

  size_t holders_of_memory() const { return memory.get()->weak_refs; }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(bond_tests, fixture)

CAF_TEST(an actor ends with the one it is bound to and for the same reason) {
  caf::error why;
  short_lived->attach_functor([&why](const caf::error& x) { why = x; });
  caf::anon_send_exit(long_lived, caf::exit_reason::kill);
  run();
  CAF_CHECK_EQUAL(why, caf::error{caf::exit_reason::kill});
}

CAF_TEST(nothing of an actor that ends first stays with the one it was bound to) {
  CAF_CHECK_EQUAL(holders_of_memory(), 3u); // itself, this test, and the other one
  caf::anon_send_exit(short_lived, caf::exit_reason::user_shutdown);
  run();
  short_lived = nullptr;
  CAF_CHECK_EQUAL(holders_of_memory(), 1u); // this test
}

CAF_TEST_FIXTURE_SCOPE_END()
