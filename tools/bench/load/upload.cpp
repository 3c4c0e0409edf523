// One producer who brings a piece, part by part, as a generation would.
#include "loads.hpp"

#include "files.hpp"
#include "http.hpp"

namespace load {

report upload(arguments& from) {
  auto port = static_cast<uint16_t>(from.number("--port", 0));
  auto piece = mapped(from.text("--file"));
  auto part = static_cast<size_t>(from.number("--part", 3840));
  auto path = from.text("--path");
  auto producer = from.text("--producer");
  auto server = from.server();
  from.refuse_others();
  int fd = connect_to(port);
  auto before = read_clocks(server);
  for (size_t at = 0, number = 0; at < piece.size(); at += part, ++number) {
    auto body = piece.substr(at, part);
    auto request = "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port)
                   + "\r\nContent-Type: audio/mpeg\r\nContent-Length: " + std::to_string(body.size())
                   + "\r\nProducer-Id: " + producer + "\r\nProducer-Epoch: 0\r\nProducer-Seq: " + std::to_string(number)
                   + "\r\nStream-Closed: " + (at + part < piece.size() ? "false" : "true") + "\r\n\r\n";
    std::string rest;
    if (auto head = ask(fd, request.append(body), rest); !has_status(head, "2"))
      fail("a part of the piece was answered " + head);
  }
  return used(before, read_clocks(server));
}

} // namespace load
