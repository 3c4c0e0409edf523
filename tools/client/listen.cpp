#include "tools/client/listen.hpp"

#include <algorithm>
#include <unistd.h>

#include "tools/client/exit_codes.hpp"
#include "tools/client/interrupt.hpp"
#include "tools/client/output.hpp"
#include "tools/client/piece.hpp"
#include "tools/client/progress.hpp"
#include "tools/client/terminal.hpp"

namespace segue::client {

namespace {

constexpr std::size_t compared_bytes = 64 << 10; ///< of a file that is gone on with

double seconds_of(std::uint64_t bytes) { return static_cast<double>(bytes) / bytes_per_second; }

int conclude(console& says, const follow_result& result, const output& out) {
  const auto& piece = result.last;
  says.object(piece.raw);
  const auto here = clock_text(seconds_of(result.position)) + (out.is_stdout() ? "" : " in " + out.path());
  if (piece.state == "failed") {
    const auto text =
        "the generation failed" + (piece.reason.empty() ? "" : ": " + printable(piece.reason)) + " (" + here + ")";
    if (!says.json())
      says.error(text, piece.state);
    return exit_with::failed;
  }
  says.remark(here + (piece.state == "cancelled" ? ", where it was cancelled" : ""));
  return exit_with::ok;
}

bool is_bad_offset(const reply& answer) { return answer.body.is_object() && answer.body.value("code", nlohmann::json{}) == "bad_offset"; }

/// What is in a file already, and comes behind it. The end of what is there comes once more, and must be the same.
class continuation {
public:
  continuation(output& out, bool carries_on) : out_(out), known_(carries_on ? out.ending(compared_bytes) : std::string{}) {}

  /// How much of what is known comes once more.
  std::uint64_t repeats() const { return known_.size(); }
  bool is_foreign() const { return foreign_; }

  bool take(std::string_view bytes) {
    const auto same = std::min(known_.size(), bytes.size());
    foreign_ = known_.compare(0, same, bytes, 0, same) != 0;
    known_.erase(0, same);
    return !foreign_ && out_.write(bytes.substr(same));
  }

private:
  output& out_;
  std::string known_;
  bool foreign_ = false;
};

/// There is nothing to go on with.
int not_of_it(console& says, const generation& piece, const output& out, const std::string& what, const std::string& code) {
  says.error(out.path() + what + ": perhaps it is of another one", code);
  says.remark("  write it anew with: segue listen " + piece.id + " -o " + out.path());
  return exit_with::refused;
}

int longer_than(console& says, const generation& piece, const output& out) {
  const auto length = clock_text(seconds_of(piece.audio_bytes)) + (piece.ended() ? "" : " so far");
  return not_of_it(says, piece, out, " is longer than the piece, which has " + length, "file_too_long");
}

int follow(http_client& client, console& says, const generation& before, output& out, std::uint64_t from) {
  continuation rest(out, from > 0);
  from -= rest.repeats();
  progress bar(says.json(), before.ended() ? seconds_of(before.audio_bytes) : before.duration_s);
  std::string state = before.ended() ? "receiving" : before.state;
  bar.show(state, seconds_of(from));
  follow_hooks hooks;
  hooks.on_note = [&](const std::string& text) { bar.note(text); };
  hooks.on_position = [&](std::uint64_t position) {
    if (state == "queued")
      state = "running";
    bar.show(state, seconds_of(position));
  };
  hooks.on_state = [&](const generation& now) { state = now.state; };
  piece source(client, before.id);
  follower following(
      source, [&](std::string_view bytes) { return rest.take(bytes); }, hooks);
  auto result = following.sound(from);
  if (result.how == follow_end::complete)
    bar.show(state, seconds_of(result.position));
  bar.finish();

  if (rest.is_foreign())
    return not_of_it(says, before, out, " does not end as the piece does at this place", "other_file");
  if (result.how == follow_end::complete && rest.repeats() > 0)
    return longer_than(says, before, out);
  if (result.how == follow_end::complete && !out.close())
    result.how = follow_end::sink_failed;
  if (result.how == follow_end::complete)
    return conclude(says, result, out);
  if (result.how == follow_end::refused && is_bad_offset(result.why))
    return longer_than(says, before, out);
  const auto again = "segue listen " + before.id + (out.is_stdout() ? "" : " --continue -o " + out.path());
  if (result.how != follow_end::interrupted)
    return says.explain(result, out.error(), again);
  says.error(
      "stopped at " + clock_text(seconds_of(result.position)) + "; the piece itself is untouched", "interrupted");
  says.remark("  carry on with: " + again);
  return exit_with::interrupted;
}

int listen(const listen_options& options, console& says) {
  if (options.out.empty() && isatty(STDOUT_FILENO) != 0) {
    says.error("this is MP3, which a terminal cannot play", "no_output");
    says.remark("  play it:  segue listen " + options.id + " -o - | ffplay -nodisp -autoexit -loglevel error -\n"
                + "  keep it:  segue listen " + options.id + " -o piece.mp3");
    return exit_with::refused;
  }
  http_client client(options.connection, interrupted);
  auto answer = client.get(generation_path(options.id));
  const auto before = parse_generation(answer.body);
  if (answer.ok() && !before) {
    answer.kind = outcome::problem;
    answer.detail = "the answer is not a generation; is this a Segue server?";
  }
  if (!answer.ok())
    return says.explain(answer);

  output out;
  std::uint64_t from = 0;
  if (out.open(options.out.empty() ? "-" : options.out)) {
    from = options.carry_on ? out.size() : 0;
    if (out.begin(from))
      return follow(client, says, *before, out, from);
  }
  says.error(out.error(), "write_failed");
  return interrupted() ? exit_with::interrupted : exit_with::failed; // a pipe may have waited for its reader
}

} // namespace

int run_listen(const listen_options& options) {
  const interrupt_guard guard;
  console says(options.connection, options.out.empty() || options.out == "-");
  return says.finish(listen(options, says));
}

} // namespace segue::client
