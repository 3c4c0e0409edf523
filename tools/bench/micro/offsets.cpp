// Offsets as clients see them: one is written into every answer and every frame, one is read with every request.
#include "actors/ids.hpp"

#include <benchmark/benchmark.h>

using namespace segue;

namespace {

void offset_format(benchmark::State& state) {
  position at = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(format_offset(at += 3840));
}
BENCHMARK(offset_format);

void offset_parse(benchmark::State& state) {
  auto text = format_offset(0x123456789abc);
  for (auto _ : state)
    benchmark::DoNotOptimize(parse_offset(text));
}
BENCHMARK(offset_parse);

void offset_parse_now(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(parse_offset("now"));
}
BENCHMARK(offset_parse_now);

} // namespace
