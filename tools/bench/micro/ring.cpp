// The ring of a live stream: what an append adds, and what a reader at the tail or behind takes.
#include "actors/stream/ring.hpp"

#include <benchmark/benchmark.h>

using namespace segue;

namespace {

constexpr size_t capacity = 512 << 10; ///< the default of --ring-bytes

chunk record(position start, size_t size) { return {start, payload{std::string(size, 'x')}, {}}; }

ring full(size_t record_size, position& end) {
  ring all{capacity};
  for (end = 0; end < 2 * capacity; end += record_size)
    all.push(record(end, record_size));
  return all;
}

/// One record in, the oldest out; sharing the bytes, as an append does.
void ring_push(benchmark::State& state) {
  auto size = static_cast<size_t>(state.range(0));
  position end = 0;
  auto all = full(size, end);
  auto bytes = payload{std::string(size, 'x')};
  for (auto _ : state) {
    all.push({end, bytes, {}});
    end += size;
  }
}
BENCHMARK(ring_push)->Arg(1 << 10)->Arg(4 << 10)->Arg(16 << 10);

/// The newest record, as everybody at the tail reads it.
void ring_read_tail(benchmark::State& state) {
  auto size = static_cast<size_t>(state.range(0));
  position end = 0;
  auto all = full(size, end);
  for (auto _ : state)
    benchmark::DoNotOptimize(all.read(end - size, 256 << 10));
}
BENCHMARK(ring_read_tail)->Arg(1 << 10)->Arg(16 << 10);

/// 256 KiB from the oldest record on, as one reads who is behind.
void ring_read_behind(benchmark::State& state) {
  auto size = static_cast<size_t>(state.range(0));
  position end = 0;
  auto all = full(size, end);
  auto from = end - all.bytes();
  for (auto _ : state)
    benchmark::DoNotOptimize(all.read(from, 256 << 10));
}
BENCHMARK(ring_read_behind)->Arg(1 << 10)->Arg(4 << 10)->Arg(16 << 10);

} // namespace
