// What stands around new parts of a stream: built once for each chunk and wire format, whatever the number of listeners.
#include "http/wire_format.hpp"

#include <benchmark/benchmark.h>

using namespace segue;
using namespace segue::http;

namespace {

chunk_batch batch(size_t size, std::vector<uint32_t> lengths = {}) {
  return {{{0, payload{std::string(size, 'x')}, std::move(lengths)}}, size, size, false};
}

void frame(benchmark::State& state, const wire_format& format, const char* type) {
  stream_row row;
  row.content_type = type;
  auto size = static_cast<size_t>(state.range(0));
  auto content = batch(size);
  for (auto _ : state)
    benchmark::DoNotOptimize(format.frame(row, content));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * size));
}

void frame_websocket(benchmark::State& state) { frame(state, websocket_format(), "audio/mpeg"); }
void frame_sse_text(benchmark::State& state) { frame(state, sse_format(true), "text/plain"); }
void frame_sse_base64(benchmark::State& state) { frame(state, sse_format(true), "audio/mpeg"); }
void frame_progressive(benchmark::State& state) { frame(state, bytes_format(true), "audio/mpeg"); }

BENCHMARK(frame_websocket)->Arg(1 << 10)->Arg(16 << 10);
BENCHMARK(frame_sse_text)->Arg(1 << 10)->Arg(16 << 10);
BENCHMARK(frame_sse_base64)->Arg(1 << 10)->Arg(16 << 10);
BENCHMARK(frame_progressive)->Arg(1 << 10)->Arg(16 << 10);

/// Eight messages as one array.
void frame_sse_json(benchmark::State& state) {
  stream_row row;
  row.content_type = "application/json";
  auto content = batch(8 * 128, std::vector<uint32_t>(8, 128));
  for (auto _ : state)
    benchmark::DoNotOptimize(sse_format(true).frame(row, content));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * 8 * 128));
}
BENCHMARK(frame_sse_json);

} // namespace
