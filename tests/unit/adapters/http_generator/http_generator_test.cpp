#define CAF_SUITE adapters.http_generator.http_generator

#include "tests/support/outside_model.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/test.hpp"

using namespace segue;
using namespace segue::http_generator;
using namespace std::chrono_literals;

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
