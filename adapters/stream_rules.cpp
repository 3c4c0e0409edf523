#include "adapters/stream_rules.hpp"

#include "actors/lineage.hpp"
#include "actors/sound.hpp"

namespace segue {

namespace {

write_outcome apply_to(stream_table& table, const create_stream& x) {
  const auto& wish = x.wish;
  if (const auto* known = table.find(wish.path))
    return {ec::none, {*known, false, {}}};
  if (!is_of_generation(wish.path) && table.count() >= x.most)
    return {ec::busy, {}};
  stream_row row;
  row.path = wish.path;
  row.content_type = wish.content_type;
  row.ttl_s = wish.ttl_s;
  row.expires_at_ms = wish.expires_at_ms;
  row.closed = wish.close;
  row.owner_epoch = 1;
  row.created_at_ms = x.now_ms;
  row.user_id = wish.user_id;
  stream_row parent;
  if (!wish.forked_from.empty()) {
    const auto* found = table.find(wish.forked_from);
    if (!found)
      return {ec::not_found, {}};
    parent = *found;
    if (parent.soft_deleted || parent.content_type != row.content_type)
      return {ec::conflict, {}};
    row.fork_position = wish.fork_position == at_tail ? parent.tail : wish.fork_position;
    if (row.fork_position > parent.tail)
      return {ec::bad_offset, {}};
    row.parent = parent.id;
    row.forked_from = parent.path;
    row.lineage = lineage_of_fork(parent, row.fork_position);
    row.tail = row.fork_position;
    ++parent.forks;
  }
  chunk first{row.tail, wish.first, wish.lengths};
  row.tail = first.end();
  if (row.tail > x.most_bytes && !is_of_generation(wish.path))
    return {ec::too_large, {}};
  if (parent.id != 0)
    table.save(parent);
  table.insert(row);
  if (!first.bytes.empty())
    table.put(row.id, first);
  return {ec::none, {std::move(row), true, {}}};
}

write_outcome apply_to(stream_table& table, const claim_stream& x) {
  const auto* known = table.find(x.path);
  if (!known || known->soft_deleted)
    return {ec::not_found, {}};
  auto row = *known;
  ++row.owner_epoch;
  table.save(row);
  auto producers = table.producers(row.id);
  return {ec::none, {std::move(row), false, std::move(producers)}};
}

/// Compare-and-set on owner and tail.
ec judge(const stream_row& row, const put_chunks& x) {
  if (row.soft_deleted)
    return ec::not_found;
  if (x.owner_epoch != row.owner_epoch || x.expected_tail != row.tail)
    return ec::fenced;
  return row.closed ? ec::closed : ec::none;
}

write_outcome apply_to(stream_table& table, const put_chunks& x) {
  const auto* known = table.find(x.id);
  if (!known)
    return {ec::not_found, {}};
  auto row = *known;
  if (auto refused = judge(row, x); refused != ec::none)
    return {refused, {row, false, {}}};
  for (const auto& record : x.chunks)
    table.put(x.id, record);
  for (const auto& tag : x.producers)
    table.put(x.id, tag);
  if (!x.chunks.empty())
    row.tail = x.chunks.back().end();
  if (!x.stream_seq.empty())
    row.stream_seq = x.stream_seq;
  if (x.close) {
    row.closed = true;
    row.closed_by = x.closed_by;
  }
  table.save(row);
  return {ec::none, {std::move(row), false, {}}};
}

/// With the last fork goes a parent that was kept for it, and so on.
write_outcome apply_to(stream_table& table, const delete_stream& x) {
  const auto* known = table.find(x.path);
  if (!known)
    return {};
  auto row = *known;
  if (row.forks > 0) {
    row.soft_deleted = true;
    table.save(row);
    return {ec::none, {std::move(row), false, {}}};
  }
  table.erase(row);
  for (auto id = row.parent; id != 0;) {
    const auto* known_parent = table.find(id);
    if (!known_parent)
      break;
    auto parent = *known_parent;
    --parent.forks;
    if (parent.forks > 0 || !parent.soft_deleted) {
      table.save(parent);
      break;
    }
    table.erase(parent);
    id = parent.parent;
  }
  return {ec::none, {std::move(row), false, {}}};
}

write_outcome apply_to(stream_table& table, const mark_archive& x) {
  const auto* known = table.find(x.id);
  if (!known)
    return {ec::not_found, {}};
  auto row = *known;
  if (row.archive == x.to)
    return {ec::none, {std::move(row), false, {}}};
  if (!row.closed || row.archive != x.from)
    return {ec::conflict, {std::move(row), false, {}}};
  row.archive = x.to;
  if (x.to == archive_state::evicted)
    table.drop_chunks(x.id);
  table.save(row);
  return {ec::none, {std::move(row), false, {}}};
}

write_outcome apply_to(stream_table& table, const restore_chunks& x) {
  const auto* known = table.find(x.id);
  if (!known)
    return {ec::not_found, {}};
  auto row = *known;
  if (row.archive == archive_state::evicted)
    for (const auto& record : x.chunks)
      table.put(x.id, record);
  return {ec::none, {std::move(row), false, {}}};
}

} // namespace

std::vector<producer_tag> newest_producers(std::vector<producer_tag> stored, stream_id id, const new_producers& put) {
  std::map<std::string, producer_tag> newest;
  for (auto& tag : stored)
    newest[tag.id] = std::move(tag);
  for (auto at = put.lower_bound({id, {}}); at != put.end() && at->first.first == id; ++at)
    newest[at->second.id] = at->second;
  std::vector<producer_tag> all;
  for (auto& [name, tag] : newest)
    all.push_back(std::move(tag));
  return all;
}

bool needs_no_room(stream_table& table, const stream_write& write) {
  if (const auto* x = std::get_if<create_stream>(&write))
    return table.find(x->wish.path) != nullptr;
  return !std::holds_alternative<put_chunks>(write) && !std::holds_alternative<restore_chunks>(write);
}

write_outcome apply_write(stream_table& table, const stream_write& write) {
  return std::visit([&](const auto& x) { return apply_to(table, x); }, write);
}

} // namespace segue
