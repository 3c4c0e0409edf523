#include "adapters/fluidsynth/melody_rhythms.hpp"

#include <stdexcept>
#include <string>

namespace segue::fluidsynth {

namespace {

struct rhythm_family {
  text name;
  texts plain, dense;
};

// clang-format off
const std::vector<rhythm_family>& families() {
  static const std::vector<rhythm_family> table{
    {"lyrical",
      {"x-------x---x---", "x-----x-x-------", "x---x---x-------", "x-------x-----x-", "x---x-x-x---x---",
        "x-----x-x---x---", "..x-x-x-x-------"},
      {"x---x-x-x-x-x---", "x-x-x-x-x-----x-", "..x-x-x-x-x-x-x-", "x---xxx-x---x-x-"}},
    {"folk",
      {"x---x-x-x---x---", "x-x-x---x-x-x---", "x---x---x-x-x-x-", "x-----x-x---x-x-", "x---x-x-x-------",
        "x-x-x-x-x---x---"},
      {"x-x-x-x-x-x-x-x-", "x-xxx-x-x-xxx-x-", "x---x-x-x-x-x-x-"}},
    {"classical",
      {"x---x-x-x-x-x-x-", "x---x---x-x-x-x-", "x-x-x-x-x---x---", "x-xxx-x-x---x---", "x-----xxx---x---",
        "x-------x-x-x-x-", "x---x-xxx-x-x---"},
      {"xxxxx-x-xxxxx-x-", "x-xxx-xxx-xxx-x-", "xxxxxxxxx-x-x---"}},
    {"swing",
      {"x---x-x---x-x-..", "..x-x-x-x---....", "x-x-x-x-x-----x-", "....x-x-x-x-x---", "x-----x-..x-x-x-",
        "x-..x-x-..x-x---", "..x---x-x-x-x---"},
      {"x-x-x-x-x-x-x-x-", "..x-x-x-x-x-x-x-", "x-x-x-xxx-x-x-x-", "x-x-x-x-x-x-x---", "x-xxx-x-x-x-x-x-",
        "..x-x-xxx-x-x---"}},
    {"blues",
      {"x-x-x---x---....", "....x-x-x-x-x---", "x---x-x-x-------", "..x-x-x-x---x-..", "x-x-x-----......",
        "..x---x-x-x-x---"},
      {"x-x-x-x-x-x-x-..", "x-xxx-x-x-x-x---", "..x-x-x-x-x-x-x-", "x-x-x---x-x-x---"}},
    {"syncopated",
      {"x--x--x---x-x---", "x-x--x--x-------", "..x-x--x--x-x---", "x--x---x--x-x-x-", "x-----x--x--x---",
        "x--x--x-x---..x-", "..x--x--x-x-x---"},
      {"x-x-xx-xx-x-x-x-", "x--x--x-x-xxx-x-", "..xxx-x-x--x--x-", "x-xx-xx-x--x--x-"}},
    {"driving",
      {"x-x-x-x-x---x---", "x-----x---x-----", "x---x-x-x-x-x---", "x-x---x-x-x-x---", "x--x--x-x-------",
        "x--x--x-x--x--x-", "x-------x-x-x-x-"},
      {"x-x-x-x-x-x-x-x-", "xxx-xxx-xxx-x---", "x-xxx-xxx-xxx-xx", "x-xxx-x-x-xxx-x-"}},
    {"sparse",
      {"x---------------", "x-------x-------", "....x-----------", "x-----------x---", "x---x-----------",
        "......x-----x---"},
      {"x---x---x-------", "..x---x---x-----", "x-----x-x-----x-"}},
    {"lazy",
      {"..x-x---x-------", "x--x----..x-x---", "x-----..x--x----", "...x--x-x-------", "x--x--x-........",
        "..x--x--x---....", "x---..x-x--x----"},
      {"..x-x-xxx-x-x---", "x-xx-x--x-x-x---", "..xxx-x-x--x--x-"}},
    {"spacious",
      {"x-----x-----x---", "x-----------x---", "x-------..x---x-", "..x---x---x-----", "x-----x---------"},
      {"x--x--x--x--x-x-", "x-x-x---x-x-x---"}},
    {"heroic",
      {"x-----x-x-------", "x-------x---x---", "x-------x-----x-", "x---x---x-------", "x-----x-x---x---",
        "x---------x-x-x-"},
      {"x---x-x-x---x-x-", "x-x-x-x-x---x---", "x--xx---x--xx---"}},
    {"dance",
      {"x-x-xxx-x-x-x---", "x--x--x-x--x--x-", "x-x-x--xx-x-x-x-", "x-xxx-x-x-x-x---", "x-x-x-x-x-------"},
      {"xxxxx-x-xxxxx-x-", "x-xxx-xxx-xxx-xx", "xxx-xxx-xxxxx-x-"}},
    {"tango",
      {"x--xx---x-x-x---", "x-xxx-x-x---x---", "..x-x-x-x-------", "x-----xxx-------", "..xxx-x-x---x---",
        "x---x-xxx-------"},
      {"xxxxx-x-xxxxx---", "x-xxx-xxx-x-x---", "..xxxxxxx---x---"}},
    {"march",
      {"x--xx---x--xx---", "x---x---x--xx---", "x--xx-x-x---x---", "x---x--xx-------", "x---x---x---x---",
        "x-x-x--xx---x---"},
      {"x--xx--xx-x-x---", "x-xxx-x-x-xxx---"}},
    {"waltz",
      {"x-------x---", "x---x---x---", "x-----x-x---", "x-----------", "x-x-x---x---", "x---x-x-x---", "x-------x-x-"},
      {"x-x-x-x-x-x-", "x---x-x-x-x-", "x-xxx-x-x---"}},
    {"jig",
      {"x-x-x-x-x-x-", "x---x-x-x-x-", "x-x-x-x---x-", "x---x-x---x-", "x-x-x-x-----", "x-----x-x-x-"},
      {"x-x-x-x-x-x-", "xxx-x-x-x-x-", "x-x-x-xxx-x-"}},
  };
  return table;
}
// clang-format on

} // namespace

texts melody_rhythms(text family, bool dense) {
  for (auto& x : families())
    if (x.name == family)
      return dense ? x.dense : x.plain;
  throw std::invalid_argument("no melody rhythms called " + std::string(family));
}

} // namespace segue::fluidsynth
