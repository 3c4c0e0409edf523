#include "http/generation_json.hpp"

#include "actors/sound.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <random>

namespace segue::http {

namespace {

using json = nlohmann::json;

constexpr size_t longest_prompt = 2000;
constexpr double shortest_s = 5;
constexpr double longest_s = 600;
constexpr double default_s = 60;
constexpr uint64_t largest_seed = (uint64_t{1} << 53) - 1; // what every JSON reader holds exactly
constexpr size_t longest_file_name = 120;
constexpr const char* fields = "prompt, user_id, duration_s, seed, pace and generator";

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t'; }

std::string trimmed(const std::string& text) {
  size_t first = 0;
  auto last = text.size();
  while (first < last && is_space(text[first]))
    ++first;
  while (last > first && is_space(text[last - 1]))
    --last;
  return text.substr(first, last - first);
}

/// Code points of valid UTF-8.
size_t length_of(const std::string& text) {
  size_t count = 0;
  for (unsigned char c : text)
    count += (c & 0xc0) != 0x80;
  return count;
}

/// C0 but newline and tab, DEL, and C1, which is 0xc2 0x80 to 0xc2 0x9f in UTF-8.
bool has_control(const std::string& text) {
  for (size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
      return true;
    if (c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0)
      return true;
  }
  return false;
}

uint64_t any_seed() {
  thread_local std::mt19937_64 dice{std::random_device{}()};
  return dice() & largest_seed;
}

/// Thrown by the readers of single fields.
struct bad {
  problem why;
};

void read_prompt(const json& x, start_generation& wish) {
  if (!x.is_string())
    throw bad{bad_field("prompt", "prompt must be a string of 1 to 2,000 characters.")};
  wish.prompt = trimmed(x.get<std::string>());
  if (wish.prompt.empty() || length_of(wish.prompt) > longest_prompt)
    throw bad{bad_field("prompt", "prompt must have 1 to 2,000 characters; this one has "
        + std::to_string(length_of(wish.prompt)) + ".")};
  if (has_control(wish.prompt))
    throw bad{bad_field("prompt", "prompt must not hold control characters, except newlines and tabs.")};
}

void read_user(const json& x, start_generation& wish) {
  if (!x.is_string() || !is_user_id(x.get_ref<const std::string&>()))
    throw bad{bad_field("user_id", user_id_rule)};
  wish.user_id = x;
}

void read_duration(const json& x, start_generation& wish) {
  if (!x.is_number() || !(x.get<double>() >= shortest_s && x.get<double>() <= longest_s))
    throw bad{bad_field("duration_s", "duration_s must be a number of seconds from 5 to 600.")};
  wish.duration_s = x;
}

void read_seed(const json& x, start_generation& wish) {
  bool whole = x.is_number_unsigned() || (x.is_number_float() && x.get<double>() == std::floor(x.get<double>()));
  auto value = whole ? x.get<double>() : -1;
  if (!(value >= 0 && value <= static_cast<double>(largest_seed)))
    throw bad{bad_field("seed", "seed must be an integer from 0 to 9007199254740991.")};
  wish.seed = static_cast<uint64_t>(value);
}

void read_pace(const json& x, start_generation& wish) {
  if (x != "fast" && x != "realtime")
    throw bad{bad_field("pace", "pace must be \"fast\" or \"realtime\".")};
  wish.realtime = x == "realtime";
}

void read_generator(const json& x, start_generation& wish) {
  if (x != "push")
    throw bad{bad_field("generator", "generator must be \"push\", for sound you append yourself; without it, the server's "
        "generator makes the sound.")};
  wish.pushed = true;
}

} // namespace

const char* const user_id_rule = "user_id must be a string of 1 to 64 characters: letters A-Z a-z, digits, and . _ @ -";

std::variant<start_generation, problem> read_wish(std::string_view body, const std::string& user) {
  // A depth of one is all a wish needs; the parser is told so, or deep nesting would eat the stack of what frees it.
  auto shallow = [](int depth, json::parse_event_t event, json&) {
    bool opens = event == json::parse_event_t::object_start || event == json::parse_event_t::array_start;
    if (opens && depth > 8)
      throw bad{bad_field("", "The JSON is nested too deeply: a wish is one object of plain values.")};
    return true;
  };
  start_generation wish{user, {}, 0, any_seed(), false, false};
  try {
    if (body.find('\0') != body.npos) // where the parser would stop
      throw bad{bad_field("", "The body is not valid JSON: there is a zero byte in it.")};
    auto parsed = json::parse(body, shallow);
    if (!parsed.is_object())
      throw bad{bad_field("", "The body must be a JSON object with a prompt, e.g. {\"prompt\": \"slow jazz trio\"}.")};
    if (!parsed.contains("prompt"))
      throw bad{bad_field("prompt", "prompt is missing: a string of 1 to 2,000 characters.")};
    for (const auto& [name, value] : parsed.items()) {
      if (name == "prompt")
        read_prompt(value, wish);
      else if (name == "user_id")
        read_user(value, wish);
      else if (name == "duration_s")
        read_duration(value, wish);
      else if (name == "seed")
        read_seed(value, wish);
      else if (name == "pace")
        read_pace(value, wish);
      else if (name == "generator")
        read_generator(value, wish);
      else
        throw bad{bad_field(name, "There is no field " + name + "; allowed are " + fields + ".")};
    }
    if (wish.pushed && wish.realtime)
      throw bad{bad_field("pace", "pace is not for sound that is pushed: it is as fast as its producer.")};
    if (!wish.pushed && !parsed.contains("duration_s"))
      wish.duration_s = default_s;
  } catch (const bad& x) {
    return x.why;
  } catch (const json::exception& e) {
    return bad_field("", std::string{"The body is not valid JSON in UTF-8: "} + e.what() + ".");
  }
  return wish;
}

nlohmann::ordered_json to_json(const generation_row& row) {
  auto self = "/v1/generations/" + row.request_id;
  nlohmann::ordered_json x{
      {"request_id", row.request_id},
      {"user_id", row.user_id},
      {"prompt", row.prompt},
      {"state", to_string(row.state)},
      {"duration_s", row.duration_s},
      {"seed", row.seed},
      {"pace", row.realtime ? "realtime" : "fast"},
      {"generator", row.generator},
      {"attempt", row.attempt},
      {"created_at", format_time(row.created_at_ms)},
      {"audio_ms", sound_ms(row.audio_bytes)},
      {"audio_bytes", row.audio_bytes},
      {"percent", percent_made(row)},
      {"urls",
          {{"self", self}, {"audio", self + "/audio"}, {"events", self + "/events"}, {"download", self + "/download"},
              {"audio_stream", "/v1/stream/" + audio_path(row.request_id)},
              {"events_stream", "/v1/stream/" + events_path(row.request_id)}}},
  };
  if (row.place > 0)
    x["place"] = row.place;
  if (!row.reason.empty())
    x["reason"] = row.reason;
  if (row.started_at_ms > 0)
    x["started_at"] = format_time(row.started_at_ms);
  if (row.ended_at_ms > 0)
    x["ended_at"] = format_time(row.ended_at_ms);
  return x;
}

std::string file_name(const generation_row& row) {
  std::string name;
  for (unsigned char c : row.prompt) {
    if (name.size() >= longest_file_name)
      break;
    if (std::isalnum(c))
      name += static_cast<char>(std::tolower(c));
    else if (!name.empty() && name.back() != '-')
      name += '-';
  }
  while (!name.empty() && name.back() == '-')
    name.pop_back();
  return (name.empty() ? "segue" : name) + ".mp3";
}

} // namespace segue::http
