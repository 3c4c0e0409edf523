// A configuration as somebody gives it to the server: a file, a command line, the environment.
#pragma once

#include "config/settings.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace segue {

/// A configuration file that goes away with its test.
class config_file {
public:
  explicit config_file(const std::string& text)
      : path_(std::filesystem::temp_directory_path() / ("segue-settings-" + std::to_string(::getpid()) + ".json")) {
    std::ofstream{path_} << text;
  }
  ~config_file() { std::filesystem::remove(path_); }
  std::string path() const { return path_; }

private:
  std::filesystem::path path_;
};

using pairs = std::vector<std::pair<std::string, std::string>>;

/// What is said about a file and a command line.
inline std::string load(const std::string& file, const pairs& command_line) {
  try {
    load_settings(file, command_line);
    return "accepted";
  } catch (const bad_setting& x) {
    return x.what;
  }
}

/// A variable of the environment that goes away with its test.
class variable {
public:
  explicit variable(const std::string& value) { ::setenv("SEGUE_SETTINGS_TEST", value.c_str(), 1); }
  ~variable() { ::unsetenv("SEGUE_SETTINGS_TEST"); }
};

} // namespace segue
