// The one door to CAF's test DSL: every test includes this as its last include.
#pragma once

#include <caf/test/dsl.hpp>
