#include "tools/client/generate.hpp"

#include <array>
#include <charconv>

#include "tools/client/exit_codes.hpp"
#include "tools/client/interrupt.hpp"
#include "tools/client/output.hpp"
#include "tools/client/piece.hpp"
#include "tools/client/progress.hpp"
#include "tools/client/terminal.hpp"

namespace segue::client {

namespace {

nlohmann::json request_of(const generate_options& options) {
  nlohmann::json request{{"prompt", options.prompt}};
  if (options.duration_s)
    request["duration_s"] = *options.duration_s;
  if (options.seed)
    request["seed"] = *options.seed;
  if (!options.pace.empty())
    request["pace"] = options.pace;
  if (!options.user.empty())
    request["user_id"] = options.user;
  return request;
}

std::string sound_text(const generation& piece) { return clock_text(static_cast<double>(piece.audio_ms) / 1000.0); }

/// Ctrl-C: the piece shall not go on either.
int cancel(http_client& client, console& says, const std::string& id) {
  says.remark("cancelling " + id + " (Ctrl-C again quits at once)");
  const auto answer = client.remove(generation_path(id));
  const auto piece = parse_generation(answer.body);
  if (!answer.ok() || !piece) {
    says.error("could not cancel " + id + ": " + printable(answer.detail) + "; it may go on, see: segue cancel " + id,
        "not_cancelled");
  } else {
    says.object(piece->raw);
    says.remark(piece->state == "cancelled" ? "cancelled; the " + sound_text(*piece) + " made so far are kept"
                                            : "too late to cancel: it is " + printable(piece->state));
  }
  return exit_with::interrupted;
}

/// The piece is over, and what of it was wanted is here.
int conclude(console& says, const generation& piece, const output* out) {
  says.object(piece.raw);
  const auto where = out == nullptr || out->is_stdout() ? "" : ", in " + out->path();
  if (piece.state == "completed") {
    says.remark("completed: " + sound_text(piece) + where);
    return exit_with::ok;
  }
  std::string text = "the generation " + std::string(piece.state == "failed" ? "failed" : "was cancelled");
  if (!piece.reason.empty())
    text += ": " + printable(piece.reason);
  if (piece.audio_bytes > 0)
    text += " (" + sound_text(piece) + " were made" + where + ")";
  if (!says.json())
    says.error(text, piece.state);
  return exit_with::failed;
}

int follow(http_client& client, console& says, const generation& made, output* out) {
  progress bar(says.json(), made.duration_s);
  bar.show(made.state, 0);
  follow_hooks hooks;
  hooks.on_note = [&](const std::string& text) { bar.note(text); };
  if (out != nullptr) {
    hooks.on_position = [&](std::uint64_t position) {
      bar.show("running", static_cast<double>(position) / bytes_per_second);
    };
  }
  hooks.on_state = [&](const generation& piece) {
    bar.show(piece.state, static_cast<double>(piece.audio_ms) / 1000.0);
  };
  piece source(client, made.id);
  follower following(
      source, [&](std::string_view bytes) { return out->write(bytes); }, hooks);
  auto result = out != nullptr ? following.sound(0) : following.state();
  bar.finish();
  if (result.how == follow_end::interrupted)
    return cancel(client, says, made.id);
  if (result.how == follow_end::complete && out != nullptr && !out->close())
    result.how = follow_end::sink_failed;
  if (result.how == follow_end::complete)
    return conclude(says, result.last, out);
  const auto again = "segue listen " + made.id
                     + (out != nullptr && !out->is_stdout() ? " --continue -o " + out->path() : std::string{});
  return says.explain(result, out != nullptr ? out->error() : "", again);
}

} // namespace

std::optional<double> parse_duration(const std::string& text) {
  constexpr std::string_view units = "hms";
  constexpr std::array<double, 3> unit_seconds{3600, 60, 1};
  const char* at = text.data();
  const char* const end = at + text.size();
  double total = 0;
  std::size_t next = 0; // each unit once, large ones first
  do {
    double number = 0;
    const auto [rest, problem] = std::from_chars(at, end, number, std::chars_format::fixed);
    if (problem != std::errc{} || *at < '0' || *at > '9')
      return std::nullopt;
    const auto unit = rest == end ? units.find('s') : units.find(*rest);
    if (unit == units.npos || unit < next)
      return std::nullopt;
    total += number * unit_seconds[unit];
    next = unit + 1;
    at = rest == end ? end : rest + 1;
  } while (at != end);
  return total;
}

int run_generate(const generate_options& options) {
  const interrupt_guard guard;
  console says(options.connection, options.out == "-");
  http_client client(options.connection, interrupted);

  std::string request;
  try {
    request = request_of(options).dump();
  } catch (const nlohmann::json::exception&) {
    says.error("the prompt is not valid UTF-8", "bad_prompt");
    return says.finish(exit_with::refused);
  }
  output out;
  const bool wants_sound = !options.out.empty();
  if (wants_sound && !out.open(options.out)) {
    says.error(out.error(), "write_failed");
    return says.finish(interrupted() ? exit_with::interrupted : exit_with::failed);
  }
  auto answer = client.post("/v1/generations", request);
  const auto made = parse_generation(answer.body);
  if (answer.ok() && !made) {
    answer.kind = outcome::problem;
    answer.detail = "the answer is not a generation; is this a Segue server?";
  }
  if (!answer.ok()) {
    if (wants_sound)
      out.discard();
    return says.finish(says.explain(answer));
  }
  says.line(made->id);
  if (interrupted())
    return says.finish(cancel(client, says, made->id));
  if (!wants_sound) {
    const auto path = generation_path(made->id);
    says.line("  listen    " + client.url(path + "/audio"));
    says.line("  download  " + client.url(path + "/download"));
    says.line("  events    " + client.url(path + "/events"));
    if (!options.connection.token.empty())
      says.remark("  each of them asks for the token as well");
  } else if (!out.begin(0)) {
    says.error(out.error() + "; the piece is being made, see: segue listen " + made->id, "write_failed");
    return says.finish(exit_with::failed);
  }
  return says.finish(follow(client, says, *made, wants_sound ? &out : nullptr));
}

} // namespace segue::client
