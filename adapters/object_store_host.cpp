#include "adapters/archive_reading.hpp"
#include "adapters/crew.hpp"
#include "adapters/host.hpp"

#include <atomic>

namespace segue {

namespace {

/// The engine, shared by the threads of a host. After it did not answer, everything fails at once for a while: its threads
/// are few, and whoever waits for them waits for nothing.
struct shared_objects {
  explicit shared_objects(std::shared_ptr<object_store> x) : engine(std::move(x)), archive(engine) {}

  using time_point = caf::actor_clock::time_point;
  static constexpr auto pause = std::chrono::seconds{1};

  std::shared_ptr<object_store> engine;
  archive_reader archive;
  std::atomic<time_point> away_until{time_point::min()};

  template <class F>
  auto use(const caf::actor_clock& clock, const char* doing, F f) -> caf::expected<decltype(f())> {
    if (clock.now() < away_until.load())
      return caf::make_error(ec::unavailable, std::string{"the object store did not answer a moment ago"});
    auto done = guarded(doing, f, log::level::warning);
    if (!done && (code_of(done.error()) == ec::timeout || code_of(done.error()) == ec::unavailable))
      away_until = clock.now() + pause;
    return done;
  }
};

using objects_ptr = std::shared_ptr<shared_objects>;

template <class Reply, class F>
caf::result<Reply> answer(caf::local_actor* self, const objects_ptr& objects, const char* doing, F f) {
  auto done = objects->use(self->clock(), doing, f);
  if (!done)
    return done.error();
  return std::move(*done);
}

using writer_actor = caf::typed_actor<            //
    replies_to<put_object>::with<object_put>,     //
    replies_to<begin_upload>::with<upload_begun>, //
    replies_to<put_part>::with<part_put>,         //
    replies_to<finish_upload>::with<object_put>,  //
    replies_to<abort_uploads>::with<object_put>,   //
    replies_to<erase_object>::with<object_put>,   //
    replies_to<describe_actor>::with<actor_description>>;

writer_actor::behavior_type writer(writer_actor::pointer self, objects_ptr objects) {
  auto& engine = *objects->engine;
  return {
      [self, &engine, objects](const put_object& x) {
        return answer<object_put>(self, objects, "putting an object",
            [&] { return engine.put(x.key, x.content_type, x.bytes), object_put{}; });
      },
      [self, &engine, objects](const begin_upload& x) {
        return answer<upload_begun>(self, objects, "beginning an upload",
            [&] { return upload_begun{engine.begin_upload(x.key, x.content_type)}; });
      },
      [self, &engine, objects](const put_part& x) {
        return answer<part_put>(self, objects, "putting a part",
            [&] { return part_put{engine.put_part(x.key, x.upload_id, x.number, x.bytes)}; });
      },
      [self, &engine, objects](const finish_upload& x) {
        return answer<object_put>(self, objects, "finishing an upload",
            [&] { return engine.finish_upload(x.key, x.upload_id, x.tags), object_put{}; });
      },
      [self, &engine, objects](const abort_uploads& x) {
        return answer<object_put>(self, objects, "aborting uploads",
            [&] { return engine.abort_uploads(x.key), object_put{}; });
      },
      [self, &engine, objects](const erase_object& x) {
        return answer<object_put>(self, objects, "erasing an object", [&] { return engine.erase(x.key), object_put{}; });
      },
      [self](const describe_actor&) { return actor_description{"writer", "ready", self->mailbox().size(), 0, {}}; },
  };
}

using reader_actor = caf::typed_actor<            //
    replies_to<read_object>::with<object_read>,   //
    replies_to<load_archived>::with<chunk_batch>, //
    replies_to<describe_actor>::with<actor_description>>;

reader_actor::behavior_type reader(reader_actor::pointer self, objects_ptr objects) {
  return {
      [self, objects](const read_object& x) {
        return answer<object_read>(self, objects, "reading an object", [&] {
          auto found = objects->engine->read(x.key, x.from, x.length);
          return object_read{std::move(found.bytes), found.size};
        });
      },
      [self, objects](const load_archived& x) {
        return answer<chunk_batch>(self, objects, "reading an archived stream", [&] { return objects->archive.read(x); });
      },
      [self](const describe_actor&) { return actor_description{"reader", "ready", self->mailbox().size(), 0, {}}; },
  };
}

struct host_state {
  static inline const char* name = "object store host";
  explicit host_state(object_store_actor::pointer self) : threads(self, name) {}
  crew<object_store_actor, writer_actor, reader_actor> threads;
};

object_store_actor::behavior_type host(object_store_actor::stateful_pointer<host_state> self,
    std::shared_ptr<object_store> engine, host_options options, metrics* m) {
  auto& threads = self->state.threads;
  auto own = options.own_threads;
  auto objects = std::make_shared<shared_objects>(std::move(engine));
  threads.start([=] { return spawn_as(own, self, writer, objects); }, [=] { return spawn_as(own, self, reader, objects); },
      options.readers, *m);
  return {
      [&threads](const put_object& x) { return threads.write(x); },
      [&threads](const begin_upload& x) { return threads.write(x); },
      [&threads](const put_part& x) { return threads.write(x); },
      [&threads](const finish_upload& x) { return threads.write(x); },
      [&threads](const abort_uploads& x) { return threads.write(x); },
      [&threads](const read_object& x) { return threads.read(x); },
      [&threads](const erase_object& x) { return threads.write(x); },
      [&threads](const load_archived& x) { return threads.read(x); },
      [&threads](const describe_actor&) { return threads.describe(); },
  };
}

} // namespace

object_store_actor spawn_object_store_host(
    caf::actor_system& system, std::shared_ptr<object_store> engine, host_options options, metrics& m) {
  return system.spawn(host, std::move(engine), options, &m);
}

} // namespace segue
