#include "actors/transfer/transfer.hpp"

#include "actors/lineage.hpp"
#include "actors/unix_clock.hpp"

#include <algorithm>
#include <caf/send.hpp>

namespace segue {

namespace {

constexpr uint64_t read_bytes = 1 << 20; ///< at a time

caf::error corrupt(const std::string& what) { return caf::make_error(ec::corrupt, what); }

} // namespace

// -- what every kind does ----------------------------------------------------------------------------------------------

void transfer_worker::begin(caf::actor parent, transfer_row row, transfer_ground ground, transfer_options options, metrics& m) {
  parent_ = std::move(parent);
  to_parent_.tie(parent_);
  row_ = std::move(row);
  ground_ = std::move(ground);
  options_ = options;
  metrics_ = &m;
  leased_until_ = self_->clock().now() + options_.lease;
  self_->delayed_send(self_, options_.lease / 3, renew_lease{});
  self_->request(ground_.chunks, options_.timeout, load_stream{row_.path})
      .then(
          [this](const stream_loaded& x) {
            switch (row_.kind) {
              case transfer_kind::upload:
                return upload(x.row);
              case transfer_kind::evict:
                return evict(x.row);
              case transfer_kind::download:
                return download(x.row);
              case transfer_kind::remove:
                return remove(true);
            }
          },
          [this](const caf::error& why) {
            if (code_of(why) != ec::not_found)
              fail(why);
            else if (row_.kind == transfer_kind::remove)
              remove(false);
            else
              finish(); // the piece was purged meanwhile
          });
}

/// Goes on with the reply; an error ends this attempt. `bytes` go over a network that may be slow.
template <class Handle, class Request, class Reply>
void transfer_worker::ask(Handle whom, Request what, std::function<void(Reply&)> then, uint64_t bytes) {
  self_->request(whom, options_.timeout + std::chrono::milliseconds{bytes / options_.slowest}, std::move(what))
      .then([then](Reply& x) { then(x); }, [this](const caf::error& why) { fail(why); });
}

/// Adds to the object store. Who has stood still for longer than its lease may come after a removal, which would not come again.
template <class Request, class Reply>
void transfer_worker::write_object(Request what, std::function<void(Reply&)> then, uint64_t bytes) {
  if (self_->clock().now() >= leased_until_)
    return fail(caf::make_error(ec::fenced, std::string{"the lease has run out"}));
  ask<object_store_actor, Request, Reply>(ground_.objects, std::move(what), std::move(then), bytes);
}

/// Stores the row. Whoever has lost the lease meanwhile ends here.
void transfer_worker::record(next_step then) {
  row_.changed_at_ms = std::max(unix_now_ms(self_->clock()), row_.changed_at_ms + 1);
  if (row_.state == transfer_state::running)
    row_.leased_until_ms = row_.changed_at_ms + options_.lease.count();
  auto until = self_->clock().now() + options_.lease;
  ask<catalogue_actor, store_transfer, transfer_status>(
      ground_.catalogue, store_transfer{row_}, [this, until, then](transfer_status& x) {
        leased_until_ = until;
        caf::anon_send(parent_, std::move(x));
        then();
      });
}

void transfer_worker::on(const renew_lease&) {
  record([this] { self_->delayed_send(self_, options_.lease / 3, renew_lease{}); });
}

void transfer_worker::progress(uint64_t bytes, next_step then) {
  row_.bytes_done += bytes;
  metrics_->transferred_bytes.Increment(static_cast<double>(bytes));
  record(std::move(then));
}

/// The row is nobody's, and says what comes next. This attempt has not failed.
void transfer_worker::leave(transfer_state state) {
  row_.state = state;
  row_.attempts = 0;
  row_.holder.clear();
  row_.error.clear();
  record([this] { self_->quit(); });
}

/// An object has the bytes: the chunks may go after a while.
void transfer_worker::wait_for_eviction() {
  row_.kind = transfer_kind::evict;
  row_.due_at_ms = unix_now_ms(self_->clock()) + options_.evict_after.count();
  leave(transfer_state::waiting);
}

void transfer_worker::mark(archive_state from, archive_state to, next_step then) {
  ask<chunk_store_actor, mark_archive, stream_written>(
      ground_.chunks, mark_archive{stream_.id, from, to}, [then](stream_written&) { then(); });
}

actor_description transfer_worker::on(const describe_actor&) const {
  auto state = std::to_string(row_.bytes_done) + " of " + std::to_string(row_.bytes_total) + " bytes";
  return {to_string(row_.kind) + " " + row_.path, state, self_->mailbox().size(), 0, {}};
}

// -- upload ------------------------------------------------------------------------------------------------------------

void transfer_worker::upload(const stream_row& stream) {
  stream_ = stream;
  if (stream_.archive != archive_state::none)
    return wait_for_eviction(); // an earlier attempt came that far
  if (!stream_.closed)
    return fail(caf::make_error(ec::conflict, std::string{"the stream is not closed yet"}));
  manifest_.content_type = stream_.content_type;
  row_.bytes_done = 0;
  row_.bytes_total = stream_.tail;
  bool in_parts = options_.part_bytes > 0 && stream_.tail > options_.part_bytes;
  auto begin = [this] {
    write_object<begin_upload, upload_begun>(
        begin_upload{bytes_key(row_.path), stream_.content_type}, [this](upload_begun& x) {
          upload_id_ = std::move(x.upload_id);
          read_piece();
        });
  };
  record([this, in_parts, begin] { in_parts ? abort_uploads(begin) : read_piece(); });
}

/// What earlier attempts have begun, also where the process died or the answer was lost before anybody knew the id.
void transfer_worker::abort_uploads(next_step then) {
  ask<object_store_actor, segue::abort_uploads, object_put>(
      ground_.objects, segue::abort_uploads{bytes_key(row_.path)}, [then](object_put&) { then(); });
}

/// Gathers what is still missing of the next part.
void transfer_worker::read_piece() {
  auto at = manifest_.size();
  bool whole = at == stream_.tail;
  if (!upload_id_.empty() && (part_.size() >= options_.part_bytes || (whole && !part_.empty())))
    return send_part([this] { read_piece(); });
  if (whole)
    return finish_object();
  load_chunks next{holders_of(stream_), at, read_bytes, stream_.tail, true};
  ask<chunk_store_actor, load_chunks, chunk_batch>(ground_.chunks, std::move(next), [this](chunk_batch& x) {
    for (const auto& record : x.chunks) {
      manifest_.add(record);
      sum_.add(record.bytes.view());
      part_ += record.bytes.view();
    }
    read_piece();
  });
}

void transfer_worker::send_part(next_step then) {
  auto size = part_.size();
  put_part part{bytes_key(row_.path), upload_id_, static_cast<uint32_t>(tags_.size() + 1), payload{std::exchange(part_, {})}};
  auto put = [this, size, then](part_put& x) {
    tags_.push_back(std::move(x.tag));
    progress(size, then);
  };
  write_object<put_part, part_put>(std::move(part), put, size);
}

void transfer_worker::finish_object() {
  manifest_.sha256 = sum_.digits();
  sum_ = sha256{};
  auto there = [this](object_put&) { verify(0); };
  if (!upload_id_.empty())
    return write_object<finish_upload, object_put>(finish_upload{bytes_key(row_.path), upload_id_, tags_}, there);
  auto size = part_.size();
  put_object all{bytes_key(row_.path), stream_.content_type, payload{std::exchange(part_, {})}};
  auto put = [this, size](object_put&) { progress(size, [this] { verify(0); }); };
  write_object<put_object, object_put>(std::move(all), put, size);
}

/// Reads everything back: what is kept elsewhere must be what was heard.
void transfer_worker::verify(position at) {
  if (at == stream_.tail) {
    if (sum_.digits() != manifest_.sha256)
      return fail(corrupt("the object store gives back other bytes than it was given"));
    return put_manifest();
  }
  ask<object_store_actor, read_object, object_read>(
      ground_.objects, read_object{bytes_key(row_.path), at, read_bytes}, [this, at](object_read& x) {
        if (x.size != stream_.tail || x.bytes.empty())
          return fail(corrupt("the object has " + std::to_string(x.size) + " bytes, and not " + std::to_string(stream_.tail)));
        sum_.add(x.bytes.view());
        verify(at + x.bytes.size());
      },
      read_bytes);
}

void transfer_worker::put_manifest() {
  auto text = manifest_.write();
  if (text.size() > options_.manifest_bytes)
    return fail(caf::make_error(ec::too_large, "its " + std::to_string(manifest_.records()) + " records are too many for an archive"));
  put_object known{manifest_key(row_.path), "application/json", payload{std::move(text)}};
  write_object<put_object, object_put>(std::move(known), [this](object_put&) {
    mark(archive_state::none, archive_state::stored, [this] { wait_for_eviction(); });
  });
}

// -- evict -------------------------------------------------------------------------------------------------------------

/// The object is looked at once more: with the chunks goes the only other copy. So is what an attempt has left behind that was
/// given up and began its upload all the same.
void transfer_worker::evict(const stream_row& stream) {
  stream_ = stream;
  if (stream_.archive != archive_state::stored)
    return finish();
  abort_uploads([this] { look_and_evict(); });
}

void transfer_worker::look_and_evict() {
  auto sized = [this](object_read& x) {
    if (x.size != stream_.tail)
      return fail(corrupt("the object has " + std::to_string(x.size) + " bytes, and not " + std::to_string(stream_.tail)));
    mark(archive_state::stored, archive_state::evicted, [this] { finish(); });
  };
  ask<object_store_actor, read_object, object_read>(
      ground_.objects, read_object{manifest_key(row_.path), 0, 1}, [this, sized](object_read&) {
        ask<object_store_actor, read_object, object_read>(ground_.objects, read_object{bytes_key(row_.path), 0, 1}, sized);
      });
}

// -- download ----------------------------------------------------------------------------------------------------------

void transfer_worker::download(const stream_row& stream) {
  stream_ = stream;
  if (stream_.archive == archive_state::stored)
    return wait_for_eviction(); // an earlier attempt came that far
  if (stream_.archive == archive_state::none)
    return finish();
  row_.bytes_done = 0;
  row_.bytes_total = stream_.tail;
  ask<object_store_actor, read_object, object_read>(
      ground_.objects, read_object{manifest_key(row_.path), 0, longest_manifest}, [this](object_read& x) {
        try {
          manifest_ = manifest::read(x.bytes.view());
        } catch (const bad_archive& e) {
          return fail(corrupt(e.what()));
        }
        if (manifest_.size() != stream_.tail) // before anything of it could be heard
          return fail(corrupt("the object is not what was archived"));
        record([this] { restore(0); });
      });
}

void transfer_worker::restore(position at) {
  auto part = manifest_.covering(at, read_bytes);
  if (part.length == 0) {
    if (sum_.digits() != manifest_.sha256)
      return fail(corrupt("the object is not what was archived"));
    return mark(archive_state::evicted, archive_state::stored, [this] { wait_for_eviction(); });
  }
  ask<object_store_actor, read_object, object_read>(
      ground_.objects, read_object{bytes_key(row_.path), part.from, part.length}, [this, at](object_read& x) {
        restore_chunks records{stream_.id, {}};
        try {
          records.chunks = manifest_.cut(at, x.bytes);
        } catch (const bad_archive& e) {
          return fail(corrupt(e.what()));
        }
        if (records.chunks.empty())
          return fail(corrupt("the object ends before its manifest does"));
        sum_.add(x.bytes.view());
        auto next = records.chunks.back().end();
        ask<chunk_store_actor, restore_chunks, stream_written>(ground_.chunks, std::move(records),
            [this, at, next](stream_written&) { progress(next - at, [this, next] { restore(next); }); });
      },
      part.length);
}

// -- remove ------------------------------------------------------------------------------------------------------------

/// A deleted stream that was forked is kept for its forks, and so is its object: looked at again, ever more seldom. Where somebody
/// was at work, who was waited for, something may still be on its way: it is removed once more when nothing can be.
void transfer_worker::remove(bool stream_is_there) {
  auto now = unix_now_ms(self_->clock());
  auto again_at = [this](int64_t when) {
    row_.due_at_ms = when;
    leave(transfer_state::waiting);
  };
  if (stream_is_there)
    return again_at(now + std::clamp<int64_t>(now - row_.created_at_ms, 200, 600'000));
  auto settled_at = row_.created_at_ms + options_.longest_write.count();
  bool put_off = row_.due_at_ms > row_.created_at_ms + options_.lease.count(); // as behind a lease, see `quiet_after`
  auto conclude = [this, again_at, settled_at, unsettled = put_off && now < settled_at] {
    unsettled ? again_at(settled_at) : finish();
  };
  auto erase = [this](const std::string& key, next_step then) {
    ask<object_store_actor, erase_object, object_put>(ground_.objects, erase_object{key}, [then](object_put&) { then(); });
  };
  auto erase_both = [this, erase, conclude] {
    erase(manifest_key(row_.path), [this, erase, conclude] { erase(bytes_key(row_.path), conclude); });
  };
  abort_uploads(erase_both);
}

// -- the actor ---------------------------------------------------------------------------------------------------------

transfer_actor::behavior_type transfer(transfer_actor::stateful_pointer<transfer_worker> self, caf::actor parent,
    transfer_row row, transfer_ground ground, transfer_options options, metrics* m) {
  auto& st = self->state;
  st.begin(std::move(parent), std::move(row), std::move(ground), options, *m);
  return {
      [&st](const renew_lease& x) { return st.on(x); },
      [&st](const describe_actor& x) { return st.on(x); },
  };
}

} // namespace segue
