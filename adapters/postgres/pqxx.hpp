// The one door to libpqxx.
#pragma once

#define PQXX_HAVE_OPTIONAL 1
#include <pqxx/pqxx>
