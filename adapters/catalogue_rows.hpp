// The columns of the catalogue's tables, the same in every engine: one list for their names, for writing and for
// reading.
#pragma once

#include "actors/away.hpp"
#include "adapters/ports.hpp"

#include <algorithm>
#include <limits>
#include <tuple>
#include <type_traits>

namespace segue {

template <class Row, class Value>
struct column {
  const char* name;
  Value Row::*member;
};

/// All columns of a row but the number that its table gives it.
template <class Row>
inline constexpr auto columns = nullptr;

template <>
inline constexpr auto columns<generation_row> = std::tuple{
    column{"request_id", &generation_row::request_id},
    column{"user_id", &generation_row::user_id},
    column{"prompt", &generation_row::prompt},
    column{"duration_s", &generation_row::duration_s},
    column{"seed", &generation_row::seed},
    column{"realtime", &generation_row::realtime},
    column{"generator", &generation_row::generator},
    column{"generator_version", &generation_row::generator_version},
    column{"producer", &generation_row::producer},
    column{"state", &generation_row::state},
    column{"decided", &generation_row::decided},
    column{"reason", &generation_row::reason},
    column{"attempt", &generation_row::attempt},
    column{"created_at_ms", &generation_row::created_at_ms},
    column{"started_at_ms", &generation_row::started_at_ms},
    column{"ended_at_ms", &generation_row::ended_at_ms},
    column{"audio_bytes", &generation_row::audio_bytes},
    column{"expected_bytes", &generation_row::expected_bytes},
};

/// The error of a transfer whose worker was never heard of again.
inline std::string lost_lease(const std::string& holder) { return "interrupted: the last lease ended with " + holder; }

template <>
inline constexpr auto columns<transfer_row> = std::tuple{
    column{"path", &transfer_row::path},
    column{"kind", &transfer_row::kind},
    column{"state", &transfer_row::state},
    column{"attempts", &transfer_row::attempts},
    column{"due_at_ms", &transfer_row::due_at_ms},
    column{"holder", &transfer_row::holder},
    column{"lease", &transfer_row::lease},
    column{"leased_until_ms", &transfer_row::leased_until_ms},
    column{"bytes_done", &transfer_row::bytes_done},
    column{"bytes_total", &transfer_row::bytes_total},
    column{"error", &transfer_row::error},
    column{"created_at_ms", &transfer_row::created_at_ms},
    column{"changed_at_ms", &transfer_row::changed_at_ms},
};

template <>
inline constexpr auto columns<api_key> = std::tuple{
    column{"id", &api_key::id},
    column{"hash", &api_key::hash},
    column{"user_id", &api_key::user_id},
    column{"may", &api_key::may},
    column{"note", &api_key::note},
    column{"created_at_ms", &api_key::created_at_ms},
};

/// The number that the table gives a row; null: it gives none.
inline constexpr uint64_t generation_row::*number_of(const generation_row*) { return &generation_row::accepted; }
inline constexpr uint64_t transfer_row::*number_of(const transfer_row*) { return &transfer_row::id; }

template <class Row>
inline constexpr size_t column_count = std::tuple_size_v<std::remove_const_t<decltype(columns<Row>)>>;

/// Their names, in order, with commas between.
template <class Row>
std::string column_names() {
  std::string names;
  auto add = [&](const char* name) { names += (names.empty() ? "" : ", ") + std::string{name}; };
  std::apply([&](const auto&... x) { (add(x.name), ...); }, columns<Row>);
  return names;
}

// -- enumerations are kept by their names -----------------------------------------------------------------------------

inline constexpr generation_state last_of(generation_state) { return generation_state::purging; }
inline constexpr transfer_kind last_of(transfer_kind) { return transfer_kind::remove; }
inline constexpr transfer_state last_of(transfer_state) { return transfer_state::done; }
inline constexpr role last_of(role) { return role::admin; }

template <class Enumeration>
Enumeration named(const std::string& name) {
  for (int i = 0; i <= static_cast<int>(last_of(Enumeration{})); ++i)
    if (auto x = static_cast<Enumeration>(i); to_string(x) == name)
      return x;
  throw adapter_error{ec::corrupt, "the catalogue holds an unknown word: " + name};
}

// -- rows -------------------------------------------------------------------------------------------------------------

/// Binds all columns to `to`, which has a `bind` for texts, floating-point numbers and integers.
template <class Parameters, class Row>
Parameters& bind_row(Parameters& to, const Row& row) {
  auto bind = [&](const auto& value) {
    if constexpr (std::is_enum_v<std::remove_cvref_t<decltype(value)>>)
      to.bind(to_string(value));
    else
      to.bind(value);
  };
  std::apply([&](const auto&... x) { (bind(row.*(x.member)), ...); }, columns<Row>);
  return to;
}

/// Reads all columns out of `from`, which has a `>>` for the same.
template <class Row, class Cells>
void read_columns(Cells& from, Row& row) {
  auto read = [&](auto& value) {
    using type = std::remove_cvref_t<decltype(value)>;
    if constexpr (std::is_enum_v<type>) {
      std::string name;
      from >> name;
      value = named<type>(name);
    } else {
      from >> value;
    }
  };
  std::apply([&](const auto&... x) { (read(row.*(x.member)), ...); }, columns<Row>);
}

/// Reads the number of a row, if it has one, and then its columns.
template <class Row, class Cells>
Row read_row(Cells& from) {
  Row row;
  if constexpr (requires { number_of(&row); })
    from >> row.*number_of(&row);
  read_columns(from, row);
  return row;
}

// -- what every engine decides alike ----------------------------------------------------------------------------------

/// What is inserted of a wish for a transfer.
inline transfer_row as_new(transfer_row wish) {
  wish.state = transfer_state::waiting;
  wish.holder.clear();
  wish.lease = 0;
  wish.leased_until_ms = 0;
  return wish;
}

/// From when on a removal may begin that takes the place of what somebody works on: when that lease has ended, and as long again,
/// for a call to the object store that was made under it may still be on its way. At most this long: when a row has changed is said by
/// the clock of who changed it.
inline constexpr int64_t longest_quiet_ms = 60'000;
inline int64_t quiet_after(const transfer_row& running) {
  return running.leased_until_ms + std::clamp<int64_t>(running.leased_until_ms - running.changed_at_ms, 0, longest_quiet_ms);
}

/// Whether an operator may have it forgotten: not what somebody works on, nor a removal, whose objects nobody would ever look for.
inline bool may_be_dropped(const transfer_row& x) {
  return x.state == transfer_state::done || (x.state != transfer_state::running && x.kind != transfer_kind::remove);
}

/// A number of a row as the engines count, who know no larger ones.
inline int64_t within_range(uint64_t number) {
  return static_cast<int64_t>(std::min<uint64_t>(number, std::numeric_limits<int64_t>::max()));
}

/// The only one, if there is one.
template <class Row>
std::optional<Row> first_of(std::vector<Row> rows) {
  return rows.empty() ? std::nullopt : std::optional{std::move(rows.front())};
}

} // namespace segue
