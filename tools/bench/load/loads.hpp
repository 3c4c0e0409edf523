// Every load: what it does with its arguments, until it knows the numbers.
#pragma once

#include "arguments.hpp"

#include <memory>

namespace load {

/// --producers N append --chunk BYTES to --name, each waiting for its acknowledgement; --redis: by XADD.
report appends(arguments& from);

/// The same by write and fdatasync to --file, in this process, after each of which it sleeps for --pause seconds.
report file_appends(arguments& from);

/// Appends --file to --path in parts of --part bytes, as --producer, and closes it.
report upload(arguments& from);

/// --clients N fetch --path for --seconds (or once: --once), and compare it with --file.
report replay(arguments& from);

/// --count generations, one after the other: how long until the id is there, and until the first sound.
report start(arguments& from);

/// Listeners, generations and streams that come and go at random for --seconds, with a look at memory and descriptors.
report churn(arguments& from);

} // namespace load
