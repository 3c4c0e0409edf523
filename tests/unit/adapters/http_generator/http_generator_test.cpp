#define CAF_SUITE adapters.http_generator.http_generator

#include "adapters/http_generator/http_generator.hpp"

#include "tests/support/model_server.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/test.hpp"

using namespace segue;
using namespace segue::http_generator;
using namespace std::chrono_literals;

namespace {

const std::string l16 = "Content-Type: audio/L16;rate=48000;channels=1\n";
const std::string chunked = "Transfer-Encoding: chunked\n";

sound_request wish() { return {"a waltz", 2.5, 7, "ada", "01234567-89ab-4cde-8f01-23456789abcd", 3, 480}; }

/// Big-endian mono samples that count up.
std::string counting(int from, int to) {
  std::string bytes;
  for (; from < to; ++from) {
    bytes += static_cast<char>(from >> 8);
    bytes += static_cast<char>(from);
  }
  return bytes;
}

/// Everything an answer gave until its end, or until it broke.
struct outcome {
  std::vector<int16_t> left; ///< samples of the left channel
  ec code = ec::none;
  std::string why;
};

outcome listen(generator& model) {
  outcome result;
  bool doubled = true;
  try {
    while (!model.begin()) {
    }
    std::vector<int16_t> block(1152 * channels);
    size_t count = 0;
    do {
      count = model.render(block);
      for (size_t i = 0; i < count; ++i) {
        doubled = doubled && block[i * channels] == block[i * channels + 1];
        result.left.push_back(block[i * channels]);
      }
    } while (count > 0 || model.waiting());
  } catch (const adapter_error& e) {
    result.code = e.code();
    result.why = e.what();
  }
  CAF_CHECK(doubled); // they were mono
  return result;
}

outcome listen(const std::string& url, std::chrono::milliseconds silence = 60s) {
  return listen(*make_outside_model(wish(), {url, silence}));
}

/// What comes of one answer.
outcome listen(std::function<void(model_connection&)> script, std::chrono::milliseconds silence = 60s) {
  model_server server{std::move(script)};
  auto result = listen(server.url(), silence);
  CAF_CHECK_EQUAL(server.calls(), 1u);
  return result;
}

/// Counting up from 0, as far as it goes.
bool counts(const std::vector<int16_t>& samples) {
  for (size_t i = 0; i < samples.size(); ++i)
    if (samples[i] != static_cast<int16_t>(i))
      return false;
  return true;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

template <class F>
std::chrono::milliseconds time_of(F f) {
  auto begun = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
}

} // namespace

// -- the request ---------------------------------------------------------------------------------------------------------

CAF_TEST(the model is told everything in one POST of JSON) {
  std::string head;
  nlohmann::json body;
  listen([&](model_connection& x) {
    head = x.head();
    body = nlohmann::json::parse(x.body(), nullptr, false);
    x.answer("200 OK", l16 + "Content-Length: 2");
    x.send(counting(0, 1));
  });
  CAF_CHECK(head.starts_with("POST /generate HTTP/1.1\r\n"));
  CAF_CHECK(contains(head, "\r\nContent-Type: application/json\r\n"));
  CAF_CHECK(!contains(head, "Expect"));
  CAF_CHECK(body
      == (nlohmann::json{{"userId", "ada"}, {"requestId", "01234567-89ab-4cde-8f01-23456789abcd"}, {"promptText", "a waltz"},
          {"attempt", 3}, {"seed", 7}, {"durationS", 2.5}, {"resumeAtMs", 480}}));
}

CAF_TEST(the headers say where the sound begins and how long the piece will be) {
  model_server server{[](model_connection& x) {
    x.answer("200 OK", l16 + chunked + "segue-resumed-at-ms: 240\nSEGUE-LENGTH-MS: 2000");
    x.chunk(counting(0, 10));
    x.chunk("");
  }};
  auto model = make_outside_model(wish(), {server.url()});
  while (!model->begin()) {
  }
  CAF_CHECK_EQUAL(model->starts_at(), 240u * 48);
  CAF_CHECK_EQUAL(model->length(), 2'000u * 48);
  CAF_CHECK_EQUAL(model->plan(), R"({"format":"audio/L16;rate=48000;channels=1"})");
}

CAF_TEST(without these headers it begins at the beginning and is as long as was wished) {
  model_server server{[](model_connection& x) { x.answer("200 OK", l16 + "Content-Length: 2") && x.send(counting(0, 1)); }};
  auto model = make_outside_model(wish(), {server.url()});
  while (!model->begin()) {
  }
  CAF_CHECK_EQUAL(model->starts_at(), 0u);
  CAF_CHECK_EQUAL(model->length(), 120'000u);
}

CAF_TEST(an address is one of plain HTTP) {
  for (const char* good : {"http://127.0.0.1:9000/generate", "http://localhost", "http://[::1]:80/", "http://u:p@model.internal/a?b=c"})
    check(good);
  for (const char* bad : {"http:", "http://", "https://127.0.0.1/", "ftp://127.0.0.1/", "127.0.0.1:9000", "", "http://a b/"})
    try {
      check(bad);
      CAF_FAIL(bad << " was accepted");
    } catch (const adapter_error& e) {
      CAF_CHECK_EQUAL(e.code(), ec::invalid_argument);
      CAF_CHECK(contains(e.what(), "it must be like http://127.0.0.1:9000/generate"));
    }
}

CAF_TEST(a probe says whether anybody is there) {
  std::string url;
  {
    model_server server{[](model_connection&) {}};
    url = server.url();
    CAF_CHECK(contains(probe({url}), "accepts connections"));
  }
  try {
    probe({url});
    CAF_FAIL("nobody was there");
  } catch (const adapter_error& e) {
    CAF_CHECK_EQUAL(e.code(), ec::unavailable);
    CAF_CHECK(contains(e.what(), "cannot be reached"));
  }
}

// -- sound ---------------------------------------------------------------------------------------------------------------

CAF_TEST(a chunked answer is sound to its end however it is cut) {
  for (int step : {1, 7, 1'000, 20'000}) {
    auto heard = listen([step](model_connection& x) {
      x.answer("200 OK", l16 + chunked);
      for (int at = 0; at < 20'000; at += step)
        x.chunk(counting(at, std::min(at + step, 20'000)));
      x.chunk("");
    });
    CAF_CHECK_EQUAL(heard.code, ec::none);
    CAF_CHECK_EQUAL(heard.left.size(), 20'000u);
    CAF_CHECK(counts(heard.left));
  }
}

CAF_TEST(an answer without chunks and length ends with its connection) {
  auto heard = listen([](model_connection& x) {
    x.answer("200 OK", l16);
    x.send(counting(0, 3'000));
  });
  CAF_CHECK_EQUAL(heard.code, ec::none);
  CAF_CHECK_EQUAL(heard.left.size(), 3'000u);
}

CAF_TEST(answers that only announce the answer are passed over) {
  auto heard = listen([](model_connection& x) {
    x.answer("102 Processing");
    x.answer("103 Early Hints", "Link: </x>");
    x.answer("200 OK", l16 + "Content-Length: 200");
    x.send(counting(0, 100));
  });
  CAF_CHECK_EQUAL(heard.code, ec::none);
  CAF_CHECK_EQUAL(heard.left.size(), 100u);
}

CAF_TEST(another sample rate is converted) {
  auto heard = listen([](model_connection& x) {
    x.answer("200 OK", "Content-Type: audio/pcm;rate=8000\n" + chunked);
    x.chunk(std::string(16'000, '\0'));
    x.chunk("");
  });
  CAF_CHECK_EQUAL(heard.code, ec::none);
  CAF_CHECK_LESS_OR_EQUAL(std::abs(static_cast<long>(heard.left.size()) - 48'000), 2);
}

CAF_TEST(a model that thinks keeps nobody for long) {
  std::atomic<bool> go{false};
  model_server server{[&](model_connection& x) {
    while (!go)
      std::this_thread::sleep_for(1ms);
    x.answer("200 OK", l16 + chunked);
    x.chunk(counting(0, 100));
    go = false;
    while (!go)
      std::this_thread::sleep_for(1ms);
    x.chunk(counting(100, 5'000));
    x.chunk("");
  }};
  auto model = make_outside_model(wish(), {server.url()});
  for (int i = 0; i < 2; ++i) {
    auto took = time_of([&] { CAF_CHECK(!model->begin()); });
    CAF_CHECK_GREATER_OR_EQUAL(took.count(), 400);
    CAF_CHECK_LESS(took.count(), 2'000);
  }
  go = true;
  while (!model->begin()) {
  }
  std::vector<int16_t> block(1152 * channels);
  size_t came = 0;
  auto took = time_of([&] { came = model->render(block); });
  CAF_CHECK_EQUAL(came, 100u); // what there is
  CAF_CHECK(model->waiting());
  CAF_CHECK_LESS(took.count(), 2'000);
  CAF_CHECK_EQUAL(model->render(block), 0u);
  CAF_CHECK(model->waiting());
  go = true;
  auto rest = listen(*model);
  CAF_CHECK_EQUAL(rest.left.size(), 4'900u);
  CAF_CHECK_EQUAL(rest.code, ec::none);
}

CAF_TEST(a model that is faster than its listeners waits for them) {
  constexpr size_t most = 64 << 20; // far beyond what lies in the system's buffers and ours
  std::atomic<size_t> sent{0};
  std::atomic<bool> done{false};
  model_server server{[&](model_connection& x) {
    x.answer("200 OK", l16 + "Content-Length: " + std::to_string(most));
    std::string block(65'536, 'x');
    while (x.sent() < most && x.send(block))
      sent = x.sent();
    done = true;
  }};
  auto model = make_outside_model(wish(), {server.url()});
  while (!model->begin()) {
  }
  std::vector<int16_t> block(1152 * channels);
  model->render(block);
  size_t before = 0;
  for (int quiet = 0; quiet < 10; before = sent) { // until nothing more is taken
    std::this_thread::sleep_for(20ms);
    quiet = sent == before ? quiet + 1 : 0;
  }
  CAF_CHECK_LESS(sent, most / 2);
  size_t heard = 0;
  while (!done && heard < most)
    heard += model->render(block) * 2;
  CAF_CHECK(done);
}

CAF_TEST(a piece that does not end is ended) {
  model_server server{[](model_connection& x) {
    x.answer("200 OK", l16 + chunked);
    while (x.chunk(std::string(10'000, 'x'))) {
    }
  }};
  auto heard = listen(*make_outside_model(wish(), {server.url(), 60s, 2s}));
  CAF_CHECK_EQUAL(heard.code, ec::invalid_argument);
  CAF_CHECK(contains(heard.why, "more than 2 s of sound"));
  CAF_CHECK_LESS_OR_EQUAL(heard.left.size(), 96'000u);
}

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

// -- the connection ------------------------------------------------------------------------------------------------------

CAF_TEST(whoever is not wanted any more sees the connection close) {
  for (bool answered : {false, true}) {
    std::atomic<bool> hung_up{false};
    std::atomic<bool> asked{false};
    model_server server{[&](model_connection& x) {
      asked = true;
      if (answered) {
        x.answer("200 OK", l16 + chunked);
        x.chunk(counting(0, 100));
      }
      hung_up = x.hung_up(10s);
    }};
    {
      auto model = make_outside_model(wish(), {server.url()});
      while (!asked || (answered && !model->begin()))
        model->begin();
    }
    for (int i = 0; i < 500 && !hung_up; ++i)
      std::this_thread::sleep_for(10ms);
    CAF_CHECK(hung_up);
  }
}
