#include "adapters/fluidsynth/casting.hpp"

#include <algorithm>

namespace segue::fluidsynth {

namespace {

using cast_list = std::vector<const instrument*>;

struct wishes {
  cast_list wanted, unwanted;
  bool drums = false, no_drums = false, no_bass = false, no_lead = false, no_guitar = false;
  bool solo = false, duo = false, trio = false, quartet = false, only = false;
};

bool contains(const cast_list& xs, const instrument* x) { return std::find(xs.begin(), xs.end(), x) != xs.end(); }

// "guitar", "bass" and "synth" mean what the style means by them.
const instrument* usual(const brief& b, text kind, char role) {
  for (auto list : role == 'b' ? texts{b.genre->bass} : texts{b.genre->comp, b.genre->lead})
    for (auto name : split(list, '|'))
      if (kind.empty() || name.find(kind) != text::npos)
        return &instrument_named(name);
  return &instrument_named(role == 'b' ? "fingered bass" : "nylon guitar");
}

wishes read_wishes(const brief& b, const std::vector<token>& ts) {
  wishes w;
  bool negated = false;
  for (size_t i = 0; i < ts.size();) {
    auto& word = ts[i].word;
    size_t n = 1;
    const instrument* found = nullptr;
    for (auto& x : instruments())
      if (auto m = match(ts, i, x.words); m > 0 && (!found || m > n)) {
        found = &x;
        n = m;
      }
    if (!found && word.starts_with("guitar")) {
      found = usual(b, "guitar", 'c');
      w.no_guitar = w.no_guitar || negated;
    } else if (!found && (word == "bass" || word == "bassline")
               && !(i > 0 && (ts[i - 1].word == "and" || ts[i - 1].word == "n") && b.genre->name == "drum and bass")) {
      w.no_bass = w.no_bass || negated;
      found = negated ? nullptr : usual(b, "", 'b');
    }
    if (word == "no" || word == "without" || word == "minus")
      negated = true;
    else if (word.starts_with("drum") || word.starts_with("percussi") || word == "beatless"
             || (negated && word.starts_with("beat")))
      (negated || word.ends_with("less") ? w.no_drums : w.drums) = true;
    else if (negated && (word == "melody" || word == "lead"))
      w.no_lead = true;
    w.solo = w.solo || word == "solo" || word == "unaccompanied";
    w.duo = w.duo || word == "duo" || word == "duet";
    w.trio = w.trio || word == "trio";
    w.quartet = w.quartet || word == "quartet";
    w.only = w.only || word == "only" || word == "just";
    if (found && !contains(negated ? w.unwanted : w.wanted, found))
      (negated ? w.unwanted : w.wanted).push_back(found);
    bool goes_on = i + n < ts.size() && (ts[i + n].word == "or" || ts[i + n].word == "and"); // "no bass or drums"
    bool thing = found || ((w.no_drums || w.no_bass || w.no_lead) && word != "or" && word != "and");
    if (ts[i].clause_ends || word == "with" || word == "but")
      negated = false;
    else if (thing)
      negated = negated && goes_on;
    i += n;
  }
  return w;
}

const instrument* choose(text list, const wishes& w, dice& chance, const cast_list& taken = {}) {
  cast_list options;
  for (auto name : split(list, '|')) {
    auto* x = &instrument_named(name);
    if (!contains(w.unwanted, x) && !contains(taken, x) && !(w.no_guitar && name.find("guitar") != text::npos))
      options.push_back(x);
  }
  return options.empty() ? nullptr : chance.pick(options);
}

void assign_wanted(brief& b, const wishes& w) {
  auto take = [](const instrument*& part, const instrument* x) { return part ? false : (part = x, true); };
  cast_list later;
  for (auto* x : w.wanted) { // those that can play one thing only choose first
    if (x->roles == "b")
      take(b.bass, x);
    else if (x->roles == "c" || x->roles == "cp")
      take(b.comp, x);
    else if (x->roles == "p")
      take(b.pad, x);
    else if (!x->can('c'))
      take(b.lead, x) || (x->can('p') && take(b.pad, x)) || (x->can('b') && take(b.bass, x)) || take(b.second, x)
        || take(b.soloist, x);
    else
      later.push_back(x);
  }
  for (auto* x : later) {
    bool leads = x->roles.front() == 'l' || w.wanted.size() == 1;
    (leads && take(b.lead, x)) || take(b.comp, x) || take(b.lead, x) || take(b.second, x);
  }
}

} // namespace

void cast(brief& b, const std::vector<token>& words, dice& chance) {
  auto w = read_wishes(b, words);
  auto& g = *b.genre;
  assign_wanted(b, w);
  bool closed = w.solo || w.duo || w.only;
  if (!b.lead && !w.no_lead) {
    auto* player = w.solo || w.only ? b.comp : nullptr; // "solo guitar": it leads and accompanies itself
    b.lead = player && player->can('l') ? player : choose(g.lead, w, chance, {b.comp, b.pad});
  }
  if (!b.lead && !w.no_lead)
    b.lead = choose("piano|flute|clarinet|music box|steel guitar", w, chance);
  bool self = b.lead && b.lead->can('c') && (w.solo || w.only || w.trio || contains(w.wanted, b.lead));
  if (!b.comp && self)
    b.comp = b.lead;
  if (!b.comp && !w.solo && !w.only)
    b.comp = choose(g.comp, w, chance, {b.lead});
  if (!b.comp && !w.solo && !w.only)
    b.comp = choose(g.comp, w, chance); // two of a kind: two guitars, two squares
  if (!b.comp && !w.solo && !w.only)
    b.comp = choose("piano|nylon guitar|harp", w, chance);
  if (!closed && !w.trio && !w.quartet) {
    if (!b.pad)
      b.pad = choose(g.pad, w, chance);
    if (!b.second && g.second != second_voice::none && w.wanted.size() < 2)
      b.second = g.second == second_voice::guide_tones && b.pad ? b.pad : choose(g.lead, w, chance, {b.lead, b.comp});
  }
  if (!b.bass && !w.no_bass && !closed)
    b.bass = choose(g.bass, w, chance);
  if (!b.bass && closed && !w.duo && !w.no_bass && b.comp)
    b.bass = b.comp; // the left hand
  if (!b.soloist && !closed && w.wanted.empty())
    b.soloist = b.comp && b.comp->can('l') && chance.chance(50) ? b.comp
                                                                : choose(g.lead, w, chance, {b.lead, b.second});
  bool quartet_of_strings = w.quartet && b.lead && (b.lead->name == "strings" || b.lead->name == "violin");
  if (quartet_of_strings) {
    b.lead = &instrument_named("violin");
    b.comp = &instrument_named("pizzicato strings");
    b.pad = &instrument_named("viola");
    b.second = b.pad;
    b.bass = &instrument_named("cello");
    b.soloist = nullptr;
  }
  if (!b.lead && !b.comp && !b.pad && !b.bass)
    b.comp = &instrument_named("piano"); // somebody has to play
  bool has_pattern = !g.drums_full.empty();
  b.drums = !w.no_drums && !quartet_of_strings && (w.drums || (has_pattern && !closed));
}

} // namespace segue::fluidsynth
