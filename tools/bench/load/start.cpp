// How long a wish takes: until it has an id, and until its first sound is heard.
#include "loads.hpp"

#include "listener.hpp"

namespace load {

report start(arguments& from) {
  auto port = static_cast<uint16_t>(from.number("--port", 0));
  auto server = from.server();
  auto count = from.number("--count", 100);
  auto warm_up = from.number("--warm-up", 5); // generations: the first ones load the instruments
  auto pause = static_cast<int64_t>(from.real("--pause", 0.02) * second);
  from.refuse_others();
  auto host = " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) + "\r\n";
  auto fd = connect_to(port);
  std::vector<int64_t> ids, sounds;
  reading before;
  for (int64_t i = -warm_up; i < count; ++i) {
    if (i == 0)
      before = read_clocks(server);
    auto wish = "{\"prompt\": \"slow jazz trio in D minor, take " + std::to_string(i) + "\", \"duration_s\": 5}";
    std::string body;
    auto begin = now_ns();
    auto head = exchange(fd, "POST /v1/generations" + host + "Content-Type: application/json\r\nContent-Length: "
                                 + std::to_string(wish.size()) + "\r\n\r\n" + wish, body);
    auto named = now_ns();
    if (!has_status(head, "2"))
      fail("POST /v1/generations was answered " + head + body);
    auto id = request_id_in(body);

    auto listener = connect_to(port);
    auto path = "/v1/stream/generations/" + id + "/audio?offset=-1&live=websocket";
    std::string rest;
    if (auto agreed = ask(listener, listening_request(door::websocket, path, port), rest); !has_status(agreed, "101"))
      fail("GET " + path + " was answered " + agreed.substr(0, agreed.find('\r')));
    websocket_decoder frames;
    size_t heard = 0;
    auto hear = [&](std::string_view bytes) { frames.take(bytes, [&](std::string_view part) { heard += part.size(); }); };
    hear(rest);
    while (heard == 0) {
      char buffer[4096];
      auto size = recv(listener, buffer, sizeof buffer, 0);
      if (size <= 0)
        fail("generation " + id + " was not heard within 10 s");
      hear({buffer, static_cast<size_t>(size)});
    }
    auto sounded = now_ns();
    close(listener);
    exchange(fd, "DELETE /v1/generations/" + id + "?purge=true" + host + "\r\n", body);
    if (i >= 0) {
      ids.push_back(named - begin);
      sounds.push_back(sounded - begin);
    }
    sleep_until(now_ns() + pause);
  }
  auto numbers = used(before, read_clocks(server));
  numbers["id_p50_ms"] = quantile(ids, 0.50) / 1e6;
  numbers["id_p99_ms"] = quantile(ids, 0.99) / 1e6;
  numbers["sound_p50_ms"] = quantile(sounds, 0.50) / 1e6;
  numbers["sound_p99_ms"] = quantile(sounds, 0.99) / 1e6;
  numbers["count"] = static_cast<double>(count);
  return numbers;
}

} // namespace load
