// The command line of a load: `--name value` or `--name`, each known by whoever asks for it.
#pragma once

#include "measure.hpp"

#include <cstdlib>
#include <set>
#include <string_view>

namespace load {

class arguments {
public:
  arguments(int count, char** words) {
    for (int i = 0; i < count; ++i) {
      std::string name = words[i];
      if (!name.starts_with("--"))
        fail("expected --NAME instead of " + name);
      bool alone = i + 1 == count || std::string_view{words[i + 1]}.starts_with("--");
      given_.emplace(name, alone ? "" : words[++i]);
    }
  }

  bool has(const std::string& name) { return known_.insert(name), given_.contains(name); }

  std::string text(const std::string& name, const std::string& otherwise = {}) {
    return has(name) ? given_.find(name)->second : otherwise;
  }

  int64_t number(const std::string& name, int64_t otherwise) {
    return has(name) ? std::atoll(given_.find(name)->second.c_str()) : otherwise;
  }

  double real(const std::string& name, double otherwise) {
    return has(name) ? std::atof(given_.find(name)->second.c_str()) : otherwise;
  }

  /// `--server PID`, once for each process.
  server_processes server() {
    server_processes all;
    known_.insert("--server");
    for (auto [at, end] = given_.equal_range("--server"); at != end; ++at)
      all.ids.push_back(std::atoi(at->second.c_str()));
    return all;
  }

  /// To be called when all that is known was asked for.
  void refuse_others() const {
    for (const auto& [name, value] : given_)
      if (!known_.contains(name))
        fail("this load knows no " + name);
  }

private:
  std::multimap<std::string, std::string> given_;
  std::set<std::string> known_;
};

/// The text with this in the place of each `{}`.
inline std::string filled(std::string text, const std::string& with) {
  for (size_t at = 0; (at = text.find("{}", at)) != text.npos; at += with.size())
    text.replace(at, 2, with);
  return text;
}

} // namespace load
