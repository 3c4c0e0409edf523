#define CAF_SUITE http.response_head

#include "http/response_head.hpp"

#include <cstdlib>
#include <ctime>

#include "tests/support/test.hpp"

using segue::http::response_head;

CAF_TEST(a head is a status line and its fields and an empty line) {
  response_head head{11, 204};
  head.add("Stream-Next-Offset", "7");
  head.add("Connection", "close");
  CAF_CHECK_EQUAL(head.take(), "HTTP/1.1 204 No Content\r\nStream-Next-Offset: 7\r\nConnection: close\r\n\r\n");
}

CAF_TEST(the date is told as every header tells it) {
  auto text = std::string{segue::http::http_date()};
  std::tm parts{};
  auto end = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  CAF_REQUIRE(end && *end == '\0');
  CAF_CHECK_LESS(std::abs(timegm(&parts) - std::time(nullptr)), 2);
  CAF_CHECK_EQUAL(text.size(), 29u);
}

CAF_TEST(old clients are answered in their version) {
  response_head head{10, 200};
  CAF_CHECK_EQUAL(head.take(), "HTTP/1.0 200 OK\r\n\r\n");
}

CAF_TEST(a line break in a value begins no line) {
  response_head head{11, 200};
  head.add("Content-Type", "text/plain\r\nSet-Cookie: a=b\nX: y");
  CAF_CHECK_EQUAL(head.take(), "HTTP/1.1 200 OK\r\nContent-Type: text/plain  Set-Cookie: a=b X: y\r\n\r\n");
}
