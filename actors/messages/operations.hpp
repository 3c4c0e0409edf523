// What is said about the actors themselves, and what an actor says to itself later.
#pragma once

#include "actors/messages/inspect.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace segue {

// -- operations ----------------------------------------------------------------------------------------------------------

/// Reply: `actor_description`, with its children.
struct describe_actor {};

struct actor_description {
  std::string name;
  std::string state;
  uint64_t queued = 0;   ///< messages in its mailbox, and requests it holds
  uint64_t restarts = 0;
  std::vector<actor_description> children;
};

/// Whether requests can be served. Reply: `readiness_checked`.
struct check_readiness {};

struct readiness_checked {
  bool ready = false;
  std::vector<std::string> checks; ///< each part and how it is, e.g. "chunk store: ok"
};

/// Whose tenant a credential opens: an API key, or a token. Reply: `tenant_services`, or `ec::unauthenticated`.
struct resolve_tenant {
  std::string credential; ///< empty: none
};

/// Where the services of a tenant are now, for whom its door has opened before: no credential is asked for. Reply:
/// `tenant_services`, or `ec::not_found`.
struct find_tenant {
  std::string name;
};

// -- timers an actor sends to itself ---------------------------------------------------------------------------------------

struct expire_readers {};
struct retry_commit {};
struct check_idle {};
struct check_expiry {};
struct pace_sound {};
struct send_heartbeat {};
struct commit_writes {};
struct resume_queue {};
struct tell_places {};
struct retry_step {};
struct begin_attempt {};
struct look_for_transfers {};
struct renew_lease {};
struct report_transfers {};
struct reach_stores {};

/// Which of its streams a generation writes to.
enum class generation_stream : uint8_t { audio, events };

struct resend_appends {
  generation_stream which = generation_stream::audio;
};

// -- inspection ---------------------------------------------------------------------------------------------------------

SEGUE_INSPECT(describe_actor)
SEGUE_INSPECT(actor_description, x.name, x.state, x.queued, x.restarts, x.children)
SEGUE_INSPECT(check_readiness)
SEGUE_INSPECT(readiness_checked, x.ready, x.checks)
SEGUE_INSPECT(resolve_tenant, x.credential)
SEGUE_INSPECT(find_tenant, x.name)
SEGUE_INSPECT(expire_readers)
SEGUE_INSPECT(retry_commit)
SEGUE_INSPECT(check_idle)
SEGUE_INSPECT(check_expiry)
SEGUE_INSPECT(pace_sound)
SEGUE_INSPECT(send_heartbeat)
SEGUE_INSPECT(commit_writes)
SEGUE_INSPECT(resume_queue)
SEGUE_INSPECT(tell_places)
SEGUE_INSPECT(retry_step)
SEGUE_INSPECT(begin_attempt)
SEGUE_INSPECT(look_for_transfers)
SEGUE_INSPECT(renew_lease)
SEGUE_INSPECT(report_transfers)
SEGUE_INSPECT(reach_stores)
SEGUE_INSPECT(resend_appends, x.which)

} // namespace segue
