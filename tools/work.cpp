#include "tools/work.hpp"

#include "actors/log.hpp"
#include "adapters/store_place.hpp"
#include "adapters/store_url.hpp"
#include "tools/tenants.hpp"

#include <caf/actor_system.hpp>
#include <caf/send.hpp>

namespace segue {

namespace {

void refuse_embedded(const settings& with) {
  for (const auto& [name, own] : with.tenants)
    for (const auto& [setting, url] : {std::pair{"chunk-store", own->chunk_store}, std::pair{"catalogue", own->catalogue}})
      if (!is_networked(url))
        throw bad_setting{prefix_of(name, with) + "--" + setting + " " + redacted(url)
            + " can be used by one process alone, and that is the server; `segue work` needs redis:// and postgresql://"};
  for (const auto& [name, own] : with.tenants)
    if (is_own_folder(own->objects))
      throw bad_setting{prefix_of(name, with) + "--objects " + own->objects + " is a folder of this process alone, where the server would not "
          "find what is moved there; `segue work` needs s3://KEY:SECRET@BUCKET/PREFIX?endpoint=URL, or file:/FOLDER with a folder that "
          "all of them share"};
}

} // namespace

void run_worker(const settings& with, const std::function<void()>& ready, const std::function<void()>& wait) {
  refuse_embedded(with);
  auto grounds = open_tenants(with, with.data, false, {});
  metrics counters;
  caf::actor_system_config config;
  register_messages(config);
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", size_t{1});
  caf::actor_system system{config};
  std::vector<tenant_actor> tenants;
  for (auto& x : grounds) {
    auto parts = x.parts(counters);
    parts.serves = false;
    parts.transfers.working = true;
    tenants.push_back(system.spawn(segue::tenant, std::move(parts)));
  }
  log::info("worker", "ready", std::to_string(tenants.size()) + " tenants");
  ready();
  wait();
  log::info("worker", "stopping", "what is under way is taken up by others, or at the next start");
  for (const auto& x : tenants)
    caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
  tenants.clear();
  system.await_all_actors_done();
}

} // namespace segue
