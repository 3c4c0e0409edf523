// The test program's main function; every suite registers itself.
#include <caf/test/unit_test_impl.hpp>
