#include "adapters/fluidsynth/styles.hpp"

namespace segue::fluidsynth {

std::span<const style* const> styles() {
  static const std::vector<const style*> all = [] {
    std::vector<const style*> result;
    for (auto* group : {&acoustic_styles(), &band_styles(), &electronic_styles()})
      for (auto& x : *group)
        result.push_back(&x);
    return result;
  }();
  return all;
}

const style* style_named(text name) {
  for (auto* x : styles())
    if (x->name == name)
      return x;
  return nullptr;
}

texts split(text x, char by) {
  texts result;
  while (!x.empty()) {
    auto n = x.find(by);
    auto piece = x.substr(0, n);
    while (!piece.empty() && piece.front() == ' ')
      piece.remove_prefix(1);
    while (!piece.empty() && piece.back() == ' ')
      piece.remove_suffix(1);
    if (!piece.empty())
      result.push_back(piece);
    x = n == text::npos ? text() : x.substr(n + 1);
  }
  return result;
}

} // namespace segue::fluidsynth
