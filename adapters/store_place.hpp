// Where a store keeps its data, whoever it is used as: two URLs that are spelled differently may mean one place.
#pragma once

#include <string>

namespace segue {

/// The place that a URL names, with everything filled in that may be left out, and without user and password: what is equal is
/// one place. Empty: a place of each tenant's own, in its folder or in memory. A URL that cannot be read is its own text.
std::string place_of(const std::string& url);

/// Whether this is the object store in the data folder of a process: `file:` without a folder.
bool is_own_folder(const std::string& objects);

} // namespace segue
