// Readers who share few reads, and an owner who is asked and answers when the test wants it: no actors, no time.
#pragma once

#include "actors/cluster/shared_reading.hpp"

#include <map>
#include <string>

#include "tests/support/test.hpp"

namespace segue {

/// Readers are numbers, and so is time.
struct moment {
  int at = 0;
  static constexpr moment max() { return {1'000'000}; }
  auto operator<=>(const moment&) const = default;
};

using reading = shared_reading<int, moment>;

inline constexpr auto past = shared_read::past;
inline constexpr auto tail = shared_read::tail;

/// An owner whose stream is a text, in records of one size.
struct owner {
  std::string text;
  size_t record = 4;
  bool closed = false;

  chunk_batch answer(const read_chunks& x) const {
    chunk_batch batch{{}, x.after, text.size(), closed};
    uint64_t size = 0;
    while (batch.next < text.size() && (size == 0 || size + record <= x.limit)) {
      auto end = std::min((batch.next / record + 1) * record, text.size());
      batch.chunks.push_back({batch.next, payload{text.substr(batch.next, end - batch.next)}, {}});
      size += end - batch.next;
      batch.next = end;
    }
    return batch;
  }
};

struct reading_fixture {
  reading shared{64, 100};
  owner there;
  std::map<int, chunk_batch> answers;
  std::map<int, ec> refusals;
  int next = 1;

  void settle(reading::outcome x) {
    for (auto& [who, batch] : x.answers) {
      CAF_CHECK(answers.try_emplace(who, std::move(batch)).second);
      CAF_CHECK(refusals.count(who) == 0);
    }
    for (auto& [who, why] : x.refusals)
      CAF_CHECK(refusals.try_emplace(who, code_of(why)).second);
  }

  int read(position after, bool waits, uint64_t limit = 1000, int until = 100) {
    settle(shared.offer({after, limit, waits, {until}, next}));
    return next++;
  }

  /// The owner answers what is asked; at the tail, only if there is something to tell.
  void answer(shared_read which, const read_chunks& x) { settle(shared.arrived(which, there.answer(x))); }

  std::string heard(int who) {
    auto found = answers.find(who);
    if (found == answers.end())
      return refusals.count(who) ? "refused" : "nothing yet";
    std::string text;
    for (const auto& x : found->second.chunks)
      text += x.bytes.view();
    return text;
  }
};

} // namespace segue
