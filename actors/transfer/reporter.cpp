#include "actors/transfer/reporter.hpp"

#include "actors/away.hpp"
#include "actors/sound.hpp"
#include "actors/unix_clock.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>

namespace segue {

namespace {

constexpr auto timeout = std::chrono::seconds{30};
constexpr auto pause = std::chrono::milliseconds{1'000};
constexpr int64_t overlap_ms = 5'000; ///< clocks of others differ, and rows become visible later than they were written
constexpr uint32_t page = 200;
constexpr size_t most_waiting = 1'000; ///< rows; what is beyond is told later, as its row is then

std::string event_of(const transfer_row& x) {
  nlohmann::ordered_json event{{"type", "transfer"}, {"time", format_time(x.changed_at_ms)}, {"id", x.id},
      {"kind", to_string(x.kind)}, {"state", to_string(x.state)}, {"attempts", x.attempts}, {"bytes_done", x.bytes_done},
      {"bytes_total", x.bytes_total}};
  if (!x.error.empty())
    event["error"] = x.error;
  if (x.state == transfer_state::waiting)
    event["due"] = format_time(x.due_at_ms);
  return event.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

/// Grows with every change of a row, so that no event is told twice, whoever tells it.
std::string sequence_of(const transfer_row& x) {
  char text[48];
  std::snprintf(text, sizeof text, "%015lld.%d", static_cast<long long>(x.changed_at_ms), static_cast<int>(x.state));
  return text;
}

} // namespace

void reporter_state::begin(
    caf::actor parent, catalogue_actor catalogue, transfers_actor transfers, directory_actor directory) {
  catalogue_ = std::move(catalogue);
  transfers_ = std::move(transfers);
  directory_ = std::move(directory);
  since_ms_ = unix_now_ms(self_->clock()) - 60'000;
  to_parent_.tie(parent);
  follow();
  again();
}

/// Steps of this process. Whoever dies meanwhile is started again, and so are we.
void reporter_state::follow() {
  self_->request(transfers_, caf::infinite, await_transfer_changes{})
      .then(
          [this](const transfers_listed& x) {
            tell(x.rows);
            follow();
          },
          [](const caf::error&) {});
}

void reporter_state::again() { self_->delayed_send(self_, pause, report_transfers{}); }

/// What has just changed is left for the next time: if it was this process, its steps are on their way.
void reporter_state::on(const report_transfers&) {
  self_->request(catalogue_, timeout, list_changed_transfers{since_ms_, page})
      .then(
          [this](transfers_listed& x) {
            auto whole = x.rows.size() < page;
            auto settled = unix_now_ms(self_->clock()) - pause.count();
            std::erase_if(x.rows, [settled](const transfer_row& row) { return row.changed_at_ms > settled; });
            tell(x.rows);
            if (!x.rows.empty())
              since_ms_ = std::max(since_ms_, x.rows.back().changed_at_ms - (whole ? overlap_ms : 0));
            std::erase_if(told_, [this](const auto& known) { return known.second < since_ms_; });
            again();
          },
          [this](const caf::error&) { again(); });
}

void reporter_state::tell(const std::vector<transfer_row>& rows) {
  for (const auto& row : rows) {
    auto& told = told_[row.id];
    if (row.kind == transfer_kind::remove || !whose_audio(row.path) || row.changed_at_ms <= told || waiting_.size() >= most_waiting)
      continue;
    told = row.changed_at_ms;
    waiting_.push_back(row);
  }
  if (!telling_)
    tell_next();
}

void reporter_state::tell_next() {
  telling_ = !waiting_.empty();
  if (!telling_)
    return;
  auto row = std::move(waiting_.front());
  waiting_.pop_front();
  auto id = *whose_audio(row.path);
  self_->request(catalogue_, timeout, find_generation{id})
      .then(
          [this, row, id](const generation_status& x) {
            if (x.row.state == generation_state::purging)
              tell_next();
            else
              append(row, id, x.row.user_id);
          },
          [this, row](const caf::error& why) { not_told(row, why); });
}

/// What is away now is told with the next look, in its place; of what was purged nothing is told.
void reporter_state::not_told(const transfer_row& row, const caf::error& why) {
  if (!is_away(code_of(why)))
    return tell_next();
  waiting_.push_front(row);
  telling_ = false;
}

void reporter_state::append(const transfer_row& row, const std::string& request_id, const std::string& user_id) {
  auto text = event_of(row);
  auto length = static_cast<uint32_t>(text.size());
  append_chunk event{.bytes = payload{std::move(text)}, .lengths = {length}, .stream_seq = sequence_of(row)};
  stream_wish wish{.path = transfers_path(request_id), .content_type = "application/json", .user_id = user_id};
  auto skip = [this, row](const caf::error& why) { not_told(row, why); };
  self_->request(directory_, timeout, open_stream{std::move(wish)})
      .then(
          [this, event, request_id, skip](const stream_opened& x) {
            self_->request(x.stream, timeout, event)
                .then(
                    [this, request_id](const chunk_appended&) {
                      check_purge(request_id);
                      tell_next();
                    },
                    skip);
          },
          skip);
}

/// A purge that began after we had looked may have removed the stream before we opened it again.
void reporter_state::check_purge(const std::string& request_id) {
  auto remove = [this, request_id] {
    self_->request(directory_, timeout, remove_stream{transfers_path(request_id)})
        .then([](const stream_removed&) {}, [](const caf::error&) {});
  };
  self_->request(catalogue_, timeout, find_generation{request_id})
      .then(
          [remove](const generation_status& x) {
            if (x.row.state == generation_state::purging)
              remove();
          },
          [remove](const caf::error& why) {
            if (code_of(why) == ec::not_found)
              remove();
          });
}

reporter_actor::behavior_type transfer_reporter(reporter_actor::stateful_pointer<reporter_state> self, caf::actor parent,
    catalogue_actor catalogue, transfers_actor transfers, directory_actor directory) {
  auto& st = self->state;
  st.begin(std::move(parent), std::move(catalogue), std::move(transfers), std::move(directory));
  return {
      [&st](const report_transfers& x) { return st.on(x); },
      [&st](const describe_actor& x) { return st.on(x); },
  };
}

} // namespace segue
