#define CAF_SUITE actors.errors

#include "actors/errors.hpp"

#include <caf/exit_reason.hpp>
#include <caf/pec.hpp>
#include <caf/sec.hpp>

#include <set>

#include "actors/interfaces.hpp"

#include "tests/support/test.hpp"

using namespace segue;

namespace {

constexpr auto last = static_cast<int>(ec::internal);

} // namespace

CAF_TEST(every code has a name of its own in lower case) {
  std::set<std::string> names;
  for (int i = 0; i <= last; ++i) {
    auto name = to_string(static_cast<ec>(i));
    CAF_CHECK(!name.empty());
    CAF_CHECK_EQUAL(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos);
    names.insert(name);
  }
  CAF_CHECK_EQUAL(names.size(), static_cast<size_t>(last) + 1);
  CAF_CHECK_EQUAL(to_string(ec::none), "none");
  CAF_CHECK_EQUAL(to_string(ec::not_found), "not_found");
  CAF_CHECK_EQUAL(to_string(ec::producer_gap), "producer_gap");
  CAF_CHECK_EQUAL(to_string(ec::unauthenticated), "unauthenticated");
  CAF_CHECK_EQUAL(to_string(ec::internal), "internal");
}

CAF_TEST(a code nobody knows is called internal) {
  CAF_CHECK_EQUAL(to_string(static_cast<ec>(last + 1)), "internal");
  CAF_CHECK_EQUAL(to_string(static_cast<ec>(255)), "internal");
}

CAF_TEST(our codes come back as they are) {
  for (int i = 0; i <= last; ++i) {
    auto code = static_cast<ec>(i);
    CAF_CHECK_EQUAL(to_string(code_of(caf::make_error(code))), to_string(code));
    CAF_CHECK_EQUAL(to_string(code_of(caf::make_error(code, std::string{"why"}))), to_string(code));
  }
}

CAF_TEST(no error is no code) {
  CAF_CHECK(code_of(caf::error{}) == ec::none);
  CAF_CHECK(code_of(caf::none) == ec::none);
}

CAF_TEST(who has retired has not looked at the question) {
  CAF_CHECK(has_retired(caf::make_error(ec::moved)));
  CAF_CHECK(has_retired(caf::make_error(caf::sec::request_receiver_down)));
  for (const auto& other : {caf::error{}, caf::make_error(ec::unavailable), caf::make_error(ec::unknown_outcome),
           caf::make_error(caf::sec::request_timeout), caf::make_error(caf::exit_reason::unhandled_exception)})
    CAF_CHECK(!has_retired(other));
}

CAF_TEST(a missed answer is a timeout and a dead actor is unavailable) {
  CAF_CHECK(code_of(caf::make_error(caf::sec::request_timeout)) == ec::timeout);
  CAF_CHECK(code_of(caf::make_error(caf::sec::request_receiver_down)) == ec::unavailable);
  CAF_CHECK(code_of(caf::make_error(caf::sec::invalid_argument)) == ec::unavailable);
}

CAF_TEST(every other error of the actor system is internal) {
  using caf::sec;
  for (auto code : {sec::unexpected_message, sec::unexpected_response, sec::no_such_group_module, sec::unknown_type,
           sec::runtime_error, sec::bad_function_call, sec::cannot_spawn_actor_from_arguments})
    CAF_CHECK(code_of(caf::make_error(code)) == ec::internal);
}

CAF_TEST(an exit reason is unavailable) {
  using caf::exit_reason;
  for (auto reason :
      {exit_reason::unhandled_exception, exit_reason::unknown, exit_reason::out_of_workers, exit_reason::user_shutdown,
          exit_reason::kill, exit_reason::remote_link_unreachable, exit_reason::unreachable})
    CAF_CHECK(code_of(caf::make_error(reason)) == ec::unavailable);
}

CAF_TEST(an error of anybody else is internal) {
  CAF_CHECK(code_of(caf::make_error(caf::pec::unexpected_eof)) == ec::internal);
  CAF_CHECK(code_of(caf::error{3, caf::atom("other")}) == ec::internal);
}

CAF_TEST(the detail is the sentence given with the error) {
  CAF_CHECK_EQUAL(detail_of(caf::make_error(ec::busy, std::string{"the queue is full"})), "the queue is full");
  CAF_CHECK_EQUAL(detail_of(caf::make_error(ec::busy)), "");
  CAF_CHECK_EQUAL(detail_of(caf::error{}), "");
  CAF_CHECK_EQUAL(detail_of(caf::make_error(ec::busy, uint32_t{7})), "");
  CAF_CHECK_EQUAL(detail_of(caf::make_error(ec::busy, std::string{"a"}, std::string{"b"})), "a");
  CAF_CHECK_EQUAL(owner_of(caf::make_error(ec::gone, std::string{"a"}, std::string{"ann"})), "ann");
  CAF_CHECK_EQUAL(owner_of(caf::make_error(ec::gone, std::string{"a"})), "");
}

CAF_TEST(an actor system shows code and sentence) {
  caf::actor_system_config config;
  register_messages(config);
  caf::actor_system system{config};
  CAF_CHECK_EQUAL(system.render(caf::make_error(ec::fenced)), "fenced");
  auto text = system.render(caf::make_error(ec::busy, std::string{"the queue is full"}));
  CAF_CHECK(text.starts_with("busy: "));
  CAF_CHECK(text.find("the queue is full") != std::string::npos);
}
