// What an outside model may do wrong, and which of it is asked for again.
#define CAF_SUITE adapters.http_generator.failures

#include "tests/support/outside_model.hpp"

#include "tests/support/test.hpp"

using namespace segue;
using namespace segue::http_generator;
using namespace std::chrono_literals;

// -- what may be mended by asking again --------------------------------------------------------------------------------------

CAF_TEST(nobody there may be mended) {
  std::string url;
  { url = model_server{[](model_connection&) {}}.url(); }
  auto heard = listen(url);
  CAF_CHECK_EQUAL(heard.code, ec::unavailable);
  CAF_CHECK(contains(heard.why, "the model did not answer (Failed to connect"));
}

CAF_TEST(a connection that ends before an answer may be mended) {
  CAF_CHECK_EQUAL(listen([](model_connection&) {}).code, ec::unavailable);
  CAF_CHECK_EQUAL(listen([](model_connection& x) { x.reset(); }).code, ec::unavailable);
  CAF_CHECK_EQUAL(listen([](model_connection& x) { x.send("HTTP/1.1 200 OK\r\nContent-"); }).code, ec::unavailable);
  CAF_CHECK_EQUAL(listen([](model_connection& x) { x.send("I am no web server\r\n\r\n"); }).code, ec::unavailable);
}

CAF_TEST(a cut may be mended and what came before it is kept) {
  auto in_chunk = listen([](model_connection& x) {
    x.answer("200 OK", l16 + chunked);
    x.chunk(counting(0, 3'000));
    x.send("1000\r\nhalf of it");
  });
  auto between_chunks = listen([](model_connection& x) {
    x.answer("200 OK", l16 + chunked);
    x.chunk(counting(0, 3'000));
  });
  auto short_of_its_length = listen([](model_connection& x) {
    x.answer("200 OK", l16 + "Content-Length: 6002");
    x.send(counting(0, 3'000));
  });
  for (const auto& x : {in_chunk, between_chunks, short_of_its_length}) {
    CAF_CHECK_EQUAL(x.code, ec::unavailable);
    CAF_CHECK(contains(x.why, "the model's answer was cut"));
    CAF_CHECK_GREATER_OR_EQUAL(x.left.size(), 2 * 1152u); // whole blocks of what came
    CAF_CHECK(counts(x.left));
  }
}

CAF_TEST(a status that may pass may be mended) {
  for (std::string status : {"500 Internal Server Error", "503 Service Unavailable", "429 Too Many Requests", "408 Request Timeout"}) {
    auto heard = listen([&](model_connection& x) {
      x.answer(status, "Content-Type: application/json\nContent-Length: 22");
      x.send(R"({"error":"no GPU left"})");
    });
    CAF_CHECK_EQUAL(heard.code, ec::unavailable);
    CAF_CHECK(contains(heard.why, "status " + status.substr(0, 3)));
    CAF_CHECK(contains(heard.why, "no GPU left"));
  }
}

CAF_TEST(silence may be mended) {
  auto before_an_answer = listen([](model_connection& x) { x.hung_up(5s); }, 300ms);
  auto in_the_middle = listen(
      [](model_connection& x) {
        x.answer("200 OK", l16 + chunked);
        x.chunk(counting(0, 3'000));
        x.hung_up(5s);
      },
      700ms);
  for (const auto& x : {before_an_answer, in_the_middle}) {
    CAF_CHECK_EQUAL(x.code, ec::timeout);
    CAF_CHECK(contains(x.why, "the model has sent nothing for "));
  }
  CAF_CHECK_EQUAL(in_the_middle.left.size(), 3'000u);
}

CAF_TEST(whoever sends a little now and then is not silent) {
  auto heard = listen(
      [](model_connection& x) {
        x.answer("200 OK", l16 + chunked);
        for (int i = 0; i < 12; ++i) {
          std::this_thread::sleep_for(100ms);
          x.chunk(counting(i, i + 1));
        }
        x.chunk("");
      },
      400ms);
  CAF_CHECK_EQUAL(heard.code, ec::none);
  CAF_CHECK_EQUAL(heard.left.size(), 12u);
}

CAF_TEST(time in which nobody asks for sound is no silence of the model) {
  model_server server{[](model_connection& x) {
    x.answer("200 OK", l16 + chunked);
    x.chunk(counting(0, 100));
    x.hung_up(700ms);
    x.chunk(counting(100, 200));
    x.chunk("");
  }};
  auto model = make_outside_model(wish(), {server.url(), 400ms});
  while (!model->begin()) {
  }
  std::this_thread::sleep_for(700ms);
  CAF_CHECK_EQUAL(listen(*model).code, ec::none);
}

CAF_TEST(an empty answer may be mended) {
  for (std::string framing : {chunked, std::string{"Content-Length: 0"}, std::string{}}) {
    auto heard = listen([&](model_connection& x) {
      x.answer("200 OK", "Content-Type: audio/wav\n" + framing);
      if (framing == chunked)
        x.chunk("");
    });
    CAF_CHECK_EQUAL(heard.code, ec::unavailable);
    CAF_CHECK(contains(heard.why, "empty"));
  }
}

// -- what is final -------------------------------------------------------------------------------------------------------

CAF_TEST(a status that will not pass is final and says what the model said) {
  for (std::string status : {"400 Bad Request", "404 Not Found", "301 Moved Permanently", "204 No Content", "206 Partial Content"}) {
    auto heard = listen([&](model_connection& x) {
      x.answer(status, "Location: http://127.0.0.1:1/\nConnection: close");
      x.send("the prompt\nis caf\xe9");
    });
    CAF_CHECK_EQUAL(heard.code, ec::invalid_argument);
    CAF_CHECK(contains(heard.why, "status " + status.substr(0, 3)));
    CAF_CHECK(contains(heard.why, "allowed is 200 with audio/mpeg"));
    if (!status.starts_with("204")) // which has no body
      CAF_CHECK(contains(heard.why, "\"the prompt is caf\xef\xbf\xbd\""));
  }
}

CAF_TEST(a refusal is not waited for longer than it is worth) {
  auto long_text = [](model_connection& x) {
    x.answer("400 Bad Request", chunked);
    while (x.chunk(std::string(1'000, 'x'))) {
    }
  };
  auto slow_text = [](model_connection& x) {
    x.answer("400 Bad Request", chunked);
    x.chunk("no");
    x.hung_up(20s);
  };
  auto cut_text = [](model_connection& x) {
    x.answer("400 Bad Request", chunked);
    x.chunk("no");
  };
  for (auto& script : std::vector<std::function<void(model_connection&)>>{long_text, slow_text, cut_text}) {
    outcome heard;
    auto took = time_of([&] { heard = listen(script); });
    CAF_CHECK_EQUAL(heard.code, ec::invalid_argument);
    CAF_CHECK_LESS(took.count(), 5'000);
    CAF_CHECK(contains(heard.why, "it said: \""));
    CAF_CHECK_LESS(heard.why.size(), 600u);
  }
}

CAF_TEST(another type than sound is final) {
  auto heard = listen([](model_connection& x) {
    x.answer("200 OK", "Content-Type: text/html\nContent-Length: 14");
    x.send("<h1>Hello</h1>");
  });
  CAF_CHECK_EQUAL(heard.code, ec::invalid_argument);
  for (const char* part : {"\"text/html\"", "allowed are audio/mpeg", "it said: \"<h1>Hello</h1>\""})
    CAF_CHECK(contains(heard.why, part));
  auto untyped = listen([](model_connection& x) { x.answer("200 OK", "Content-Length: 0"); });
  CAF_CHECK_EQUAL(untyped.code, ec::invalid_argument);
}

CAF_TEST(what cannot be decoded is final) {
  auto page = listen([](model_connection& x) {
    x.answer("200 OK", "Content-Type: audio/wav\n" + chunked);
    x.chunk("<html>an error page</html>");
    x.chunk("");
  });
  auto header_alone = listen([](model_connection& x) {
    x.answer("200 OK", "Content-Type: audio/wav\nContent-Length: 12");
    x.send(std::string("RIFF\0\0\0\0WAVE", 12));
  });
  CAF_CHECK_EQUAL(page.code, ec::invalid_argument);
  CAF_CHECK(contains(page.why, "it said: \"<html>an error page</html>\""));
  CAF_CHECK_EQUAL(header_alone.code, ec::invalid_argument);
  CAF_CHECK(contains(header_alone.why, "holds no sound"));
}

CAF_TEST(a header that is no number is final) {
  for (std::string header : {"Segue-Resumed-At-Ms: soon", "Segue-Length-Ms: -1"}) {
    auto heard = listen([&](model_connection& x) { x.answer("200 OK", l16 + chunked + header) && x.hung_up(5s); });
    CAF_CHECK_EQUAL(heard.code, ec::invalid_argument);
    CAF_CHECK(contains(heard.why, header.substr(0, header.find(':'))));
  }
}
