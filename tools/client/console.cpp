#include "tools/client/console.hpp"

#include <cerrno>
#include <cstdio>

#include "tools/client/exit_codes.hpp"
#include "tools/client/terminal.hpp"

namespace segue::client {

namespace {

int exit_code_of(const reply& answer) {
  if (answer.kind == outcome::stopped)
    return exit_with::interrupted;
  if (answer.kind != outcome::problem)
    return exit_with::unreachable;
  if (answer.status == 404)
    return exit_with::not_found;
  return answer.status >= 400 && answer.status < 500 ? exit_with::refused : exit_with::failed;
}

/// Why standard output did not take what was said, the first time; 0: it took everything.
int lost = 0;

void put(std::FILE* where, std::string_view text) {
  const bool taken = std::fprintf(where, "%.*s\n", static_cast<int>(text.size()), text.data()) >= 0 && std::fflush(where) == 0;
  if (!taken && where == stdout && lost == 0)
    lost = errno;
}

} // namespace

console::console(const connection_options& options, bool sound_on_stdout, const char* look_up)
    : options_(options), sound_on_stdout_(sound_on_stdout), look_up_(look_up) {}

void console::line(std::string_view text) {
  if (!options_.json)
    put(sound_on_stdout_ ? stderr : stdout, text);
}

void console::object(const nlohmann::json& answer) {
  if (options_.json)
    put(stdout, answer.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

void console::remark(std::string_view text) {
  if (!options_.json)
    put(stderr, text);
}

void console::error(std::string_view text, std::string_view code) {
  put(stderr, "segue: " + std::string(text));
  object({{"error", {{"code", code}, {"detail", text}}}});
}

console::trouble console::trouble_of(const reply& answer) const {
  trouble result{exit_code_of(answer), printable(answer.detail), {}, {}};
  auto& text = result.text;
  const auto is = [&result](const char* code) {
    result.error = {{"code", code}, {"detail", result.text}};
    return result;
  };
  switch (answer.kind) {
  case outcome::unreachable:
    text = "cannot reach a server at " + options_.server + " (" + text + ")";
    result.remedy = answer.untrusted
                        ? "  if an authority of your own vouches for it: --ca FILE, or SEGUE_CA in the environment"
                        : "  start one with:  segue serve\n"
                          "  or name another: --server URL, or SEGUE_SERVER in the environment";
    return is("unreachable");
  case outcome::cut:
    text = "the connection to " + options_.server + " ended before the answer (" + text
           + "); whether the request took effect is unknown, see: " + look_up_;
    return is("cut");
  case outcome::stopped:
    text = "interrupted";
    return is("interrupted");
  case outcome::ok:
  case outcome::problem:
    break;
  }
  result.error =
      answer.body.is_object() ? answer.body : nlohmann::json{{"status", answer.status}, {"detail", answer.detail}};
  if (answer.status == 401) {
    text = options_.token.empty() ? "the server asks for an API key or token: set SEGUE_TOKEN, or give --token"
                                  : "the server does not take what SEGUE_TOKEN or --token says: " + text;
  }
  if (answer.retry_after)
    text += " (try again in " + std::to_string(answer.retry_after->count()) + " s)";
  return result;
}

int console::explain(const reply& answer) {
  if (answer.ok())
    return exit_with::ok;
  const auto what = trouble_of(answer);
  put(stderr, "segue: " + what.text);
  object({{"error", what.error}});
  if (!what.remedy.empty())
    remark(what.remedy);
  return what.code;
}

int console::explain(const reply& answer, std::string_view about, nlohmann::json& error) {
  auto what = trouble_of(answer);
  put(stderr, "segue: " + std::string(about) + ": " + what.text);
  error = std::move(what.error);
  if (!what.remedy.empty())
    remark(what.remedy);
  return what.code;
}

int console::explain(const follow_result& result, const std::string& sink_error, const std::string& again) {
  const auto here = clock_text(static_cast<double>(result.position) / bytes_per_second);
  switch (result.how) {
  case follow_end::refused:
    return explain(result.why);
  case follow_end::unreachable:
    error("the server at " + options_.server + " has not answered for " + std::to_string(patience::limit.count())
              + " s (" + printable(result.why.detail) + "); the piece is kept there as far as it was made",
        "unreachable");
    remark("  start the server with:  segue serve\n  then carry on with:     " + again);
    return exit_with::unreachable;
  case follow_end::inconsistent:
    error("the sound ends at byte " + std::to_string(result.position) + ", but the server says it has "
              + std::to_string(result.last.audio_bytes),
        "inconsistent");
    return exit_with::failed;
  case follow_end::sink_failed:
    error(sink_error + ", at " + here, "write_failed");
    remark("  nothing is lost at the server; carry on with: " + again);
    return exit_with::failed;
  case follow_end::complete:
  case follow_end::interrupted:
    break;
  }
  return exit_with::ok;
}

int console::finish(int code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0)
    return code;
  if (lost != 0)
    errno = lost;
  std::perror("segue: standard output");
  return code == exit_with::ok ? exit_with::failed : code;
}

} // namespace segue::client
