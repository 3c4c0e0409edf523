#define SEGUE_COMPILED_ELSEWHERE // but here
#include "actors/interfaces.hpp"

namespace segue {

std::string to_string(generation_state state) {
  constexpr const char* names[] = {"queued", "running", "completed", "failed", "cancelled", "purging"};
  return names[static_cast<size_t>(state)];
}

std::string to_string(transfer_kind kind) {
  constexpr const char* names[] = {"upload", "evict", "download", "remove"};
  return names[static_cast<size_t>(kind)];
}

std::string to_string(transfer_state state) {
  constexpr const char* names[] = {"waiting", "running", "dead", "done"};
  return names[static_cast<size_t>(state)];
}

std::string to_string(role x) {
  constexpr const char* names[] = {"nobody", "reader", "writer", "admin"};
  return names[static_cast<size_t>(x)];
}

std::string to_string(node_state x) {
  constexpr const char* names[] = {"entering", "joined", "dialling", "refused"};
  return names[static_cast<size_t>(x)];
}

void register_messages(caf::actor_system_config& config) {
  config.add_message_types<caf::id_block::segue_errors>();
  config.add_message_types<caf::id_block::segue>();
  config.add_error_category(caf::atom("segue"), [](uint8_t code, caf::atom_value, const caf::message& context) {
    return to_string(static_cast<ec>(code)) + (context.empty() ? "" : ": " + caf::to_string(context));
  });
}

} // namespace segue
