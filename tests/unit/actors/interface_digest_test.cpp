#define CAF_SUITE actors.interface_digest

#include "actors/interface_digest.hpp"

#include "tests/support/test.hpp"

using namespace segue;

CAF_TEST(a build says which messages it speaks in a word that fits a line) {
  auto digest = interface_digest();
  CAF_CHECK_EQUAL(digest, interface_digest());
  CAF_CHECK_EQUAL(digest.find('.'), 16u);
  CAF_CHECK_EQUAL(digest.find_first_not_of("0123456789abcdef."), std::string::npos);
}
