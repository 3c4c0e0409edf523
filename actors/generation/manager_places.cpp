// The part of the manager that tells those who wait their place in the queue.
#include "actors/generation/events.hpp"
#include "actors/generation/manager.hpp"
#include "actors/sound.hpp"

namespace segue {

namespace {

constexpr auto places_pause = std::chrono::milliseconds{200}; ///< so that many changes become one

} // namespace

/// After every change of the queue.
void manager_state::count() {
  if (!queue_.empty() && !telling_) {
    telling_ = true;
    self_->delayed_send(self_, places_pause, tell_places{});
  }
  metrics_->generations_queued.Set(static_cast<double>(queue_.size()));
  metrics_->generations_running.Set(static_cast<double>(live_.size()));
}

void manager_state::on(const tell_places&) {
  telling_ = false;
  for (const auto& x : queue_.changes())
    tell(x);
}

/// An event of epoch 0: once the generation runs, what is still on its way is fenced.
void manager_state::tell(const generation_queue::place_change& x) {
  auto id = x.row.request_id;
  auto text = events::queued(x.row);
  auto length = static_cast<uint32_t>(text.size());
  append_chunk event{.bytes = payload{std::move(text)}, .lengths = {length}, .producer = {"gen/" + id, 0, x.seq}};
  stream_wish wish{.path = events_path(id), .content_type = "application/json", .user_id = x.row.user_id};
  self_->request(directory_, timeout(), open_stream{std::move(wish)})
      .then(
          [this, id, event](const stream_opened& opened) {
            self_->request(opened.stream, timeout(), event)
                .then(
                    [this, id](const chunk_appended& done) {
                      if (done.duplicate)
                        tell_again(id, done.producer_seq + 1);
                    },
                    [this, id](const caf::error& why) { // else it runs or is gone, or will be told its next place
                      if (code_of(why) == ec::producer_gap)
                        tell_again(id, std::stoull(detail_of(why)));
                    });
          },
          [](const caf::error&) {});
}

void manager_state::tell_again(const std::string& request_id, uint64_t seq) {
  queue_.tell_again(request_id, seq);
  count();
}

} // namespace segue
