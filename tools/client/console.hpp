#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "tools/client/follow.hpp"
#include "tools/client/http_client.hpp"

namespace segue::client {

/// What every client command is told.
struct connection_options : endpoint {
  /// One JSON object on standard output, and nothing else there.
  bool json = false;
};

/// What a command says, and where: answers on standard output, everything else on standard error; with --json one
/// object on standard output. Turns replies into exit codes.
class console {
public:
  /// `sound_on_stdout`: standard output carries sound, so answers go to standard error. `look_up`: the command that
  /// shows what has become of a request nobody answered.
  explicit console(const connection_options& options, bool sound_on_stdout = false, const char* look_up = "segue ls");

  /// A line of the answer; nothing with --json.
  void line(std::string_view text);
  /// The answer of --json; nothing without it.
  void object(const nlohmann::json& answer);
  /// A remark on standard error; nothing with --json.
  void remark(std::string_view text);
  /// What went wrong, on standard error; with --json also as an object.
  void error(std::string_view text, std::string_view code);

  /// Says why a request did not go well; the exit code.
  int explain(const reply& answer);
  /// Says it of one thing among several; with --json `error` is set instead, for the one object that tells of all.
  int explain(const reply& answer, std::string_view about, nlohmann::json& error);
  /// Says why following did not reach the end (any `follow_end` but complete and interrupted); the exit code.
  /// `sink_error`: what the sink has to say. `again`: the command that carries on.
  int explain(const follow_result& result, const std::string& sink_error, const std::string& again);
  /// `code`, or failed if standard output did not take what was said.
  [[nodiscard]] int finish(int code);

  [[nodiscard]] bool json() const { return options_.json; }

private:
  struct trouble {
    int code;
    std::string text;
    std::string remedy;
    nlohmann::json error;
  };
  [[nodiscard]] trouble trouble_of(const reply& answer) const;

  const connection_options& options_;
  bool sound_on_stdout_;
  const char* look_up_;
};

} // namespace segue::client
