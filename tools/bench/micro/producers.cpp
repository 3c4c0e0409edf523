// Idempotent producers: every append with producer headers is judged, and counted when it is accepted.
#include "actors/stream/producers.hpp"

#include <benchmark/benchmark.h>

using namespace segue;

namespace {

std::string name(size_t number) { return "gen/" + std::to_string(1'000'000 + number); }

producers of_so_many(size_t count) {
  producers all;
  for (size_t i = 0; i < count; ++i)
    all.accept({name(i), 0, 0});
  return all;
}

/// The next append of one of so many.
void producer_accept(benchmark::State& state) {
  auto count = static_cast<size_t>(state.range(0));
  auto all = of_so_many(count);
  producer_tag tag{name(count / 2), 0, 0};
  for (auto _ : state) {
    ++tag.seq;
    benchmark::DoNotOptimize(all.judge(tag));
    all.accept(tag);
  }
}
BENCHMARK(producer_accept)->Arg(1)->Arg(64)->Arg(10'000);

/// The last append once more.
void producer_duplicate(benchmark::State& state) {
  auto count = static_cast<size_t>(state.range(0));
  auto all = of_so_many(count);
  producer_tag tag{name(count / 2), 0, 0};
  for (auto _ : state)
    benchmark::DoNotOptimize(all.judge(tag));
}
BENCHMARK(producer_duplicate)->Arg(1)->Arg(10'000);

} // namespace
