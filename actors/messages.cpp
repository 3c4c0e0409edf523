#include "actors/interfaces.hpp"

namespace segue {

std::string to_string(generation_state state) {
  constexpr const char* names[] = {"queued", "running", "completed", "failed", "cancelled", "purging"};
  return names[static_cast<size_t>(state)];
}

void register_messages(caf::actor_system_config& config) {
  config.add_message_types<caf::id_block::segue_errors>();
  config.add_message_types<caf::id_block::segue>();
  config.add_error_category(caf::atom("segue"), [](uint8_t code, caf::atom_value, const caf::message& context) {
    return to_string(static_cast<ec>(code)) + (context.empty() ? "" : ": " + caf::to_string(context));
  });
}

} // namespace segue
