// A title from the words of a prompt.
#include "adapters/fluidsynth/prompt.hpp"
#include "adapters/fluidsynth/words.hpp"

#include <algorithm>
#include <cctype>

namespace segue::fluidsynth {

namespace {

constexpr size_t most_words = 6, most_bytes = 48;

// Marks what is about tempo, style, instruments or music as such; the reader of the prompt has marked key and tempo.
void mark_music_words(std::vector<token>& ts) {
  for (size_t i = 0; i < ts.size(); ++i) {
    auto& word = ts[i].word;
    size_t n = 0;
    for (auto& x : paces())
      n = std::max(n, match(ts, i, x.words));
    for (auto* x : styles())
      n = std::max({n, match(ts, i, x->name), match(ts, i, split(x->words, '|')[0])});
    for (auto& x : instruments())
      n = std::max(n, match(ts, i, x.words));
    bool ascii = static_cast<unsigned char>(word[0]) < 0x80;
    bool digits = std::any_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (digits && !ts[i].clause_ends) // "12 bar", "30 seconds"
      n = std::max<size_t>(n, 2);
    if (is_shop_talk(word) || digits || word.starts_with("guitar") || word.starts_with("drum") || word == "bass"
        || (ascii && word.size() == 1 && word != "a" && word != "i"))
      n = std::max<size_t>(n, 1);
    for (size_t k = i; k < i + n && k < ts.size(); ++k)
      ts[k].used = true;
  }
}

std::string join(const std::vector<token>& ts, size_t first, size_t last) {
  std::string result;
  for (size_t i = first; i < last; ++i) {
    auto word = ts[i].spelled;
    if (i == first || !is_filler(ts[i].word))
      word[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(word[0])));
    result += (i == first ? "" : " ") + word;
  }
  return result;
}

} // namespace

std::string title_of(std::vector<token> ts, const std::string& otherwise) {
  mark_music_words(ts);
  std::string best;
  int best_score = 0;
  for (size_t i = 0; i < ts.size();) { // runs of words that are not about music
    size_t end = i;
    bool stop = false;
    while (end < ts.size() && !stop && !ts[end].used) {
      stop = ts[end].clause_ends;
      ++end;
    }
    auto first = i, last = end;
    i = std::max(end, i + 1);
    while (first < last && is_filler(ts[first].word) && !(ts[first].word == "the" && last - first > 1))
      ++first;
    last = std::min(last, first + most_words);
    while (first < last && is_filler(ts[last - 1].word))
      --last;
    while (last > first + 1 && join(ts, first, last).size() > most_bytes)
      --last;
    int score = 0;
    for (size_t k = first; k < last; ++k)
      score += is_filler(ts[k].word) ? 0 : 10;
    if (last - first == 1) {
      for (auto& m : moods()) // "sad" alone is an adjective that lost its noun
        if (match(ts, first, m.words))
          score = 1;
    }
    auto candidate = join(ts, first, last);
    if (score > best_score && candidate.size() <= most_bytes) {
      best_score = score;
      best = candidate;
    }
  }
  if (best_score >= 10)
    return best;
  auto words = tokenize(otherwise);
  return join(words, 0, words.size());
}

} // namespace segue::fluidsynth
