#include "adapters/postgres/ownership.hpp"

#include "actors/ids.hpp"

namespace segue::postgres {

namespace {

const statement take_it{"take_lease", effect::changes, R"(
    UPDATE ownership
    SET holder = $1, taker = $2, until = clock_timestamp() + $3::bigint * interval '1 millisecond',
        epoch = epoch + CASE WHEN taker = $2 THEN 0 ELSE 1 END
    WHERE taker = $2 OR holder = $1 OR until <= clock_timestamp()
    RETURNING epoch)"};

const statement prolong_it{"prolong_lease", effect::changes, R"(
    UPDATE ownership SET holder = $1, until = clock_timestamp() + $3::bigint * interval '1 millisecond'
    WHERE taker = $2 RETURNING epoch)"};

const statement who_has_it{"lease_holder", effect::none, "SELECT holder FROM ownership"};

const statement release_it{"release_lease", effect::changes, R"(
    UPDATE ownership SET holder = '', taker = '', until = '-infinity', epoch = epoch + 1 WHERE taker = $1)"};

const statement raise_it{"raise_epoch", effect::changes, R"(
    UPDATE ownership SET epoch = epoch + 1 WHERE taker = $1 RETURNING epoch)"};

} // namespace

ownership::ownership(pool& connections, pool& reserved)
    : connections_(connections), reserved_(reserved), taker_(new_uuid()) {}

std::optional<std::string> ownership::take(const std::string& holder, std::chrono::milliseconds how_long) {
  values wish;
  wish.bind(holder).bind(taker_).bind(how_long.count());
  bool ours = false;
  {
    std::lock_guard lock{mutex_};
    asked_ = true;
    ours = ours_;
  }
  auto now = reserved_.take();
  if (ours)
    return prolong(now, wish);
  for (int tries = 0; tries < 3; ++tries) { // it may be given back between the two statements
    if (auto taken = now.run(take_it, wish); !taken.empty()) {
      risen_to(taken[0][0].as<uint64_t>());
      std::lock_guard lock{mutex_};
      ours_ = true;
      return std::nullopt;
    }
    auto other = now.run(who_has_it);
    if (other.empty())
      throw adapter_error{ec::corrupt, connections_.where().shown + ": the table \"ownership\" has lost its row"};
    if (std::string name = other[0][0].c_str(); !name.empty()) {
      std::lock_guard lock{mutex_};
      epoch_ = 0;
      return name;
    }
  }
  throw adapter_error{ec::busy, connections_.where().shown + ": others take the lease and give it back all the time"};
}

/// Nothing is taken that somebody else has had: whoever owned it would not know.
std::optional<std::string> ownership::prolong(session& now, const values& wish) {
  if (auto prolonged = now.run(prolong_it, wish); !prolonged.empty()) {
    risen_to(prolonged[0][0].as<uint64_t>());
    return std::nullopt;
  }
  auto other = now.run(who_has_it);
  std::string name = other.empty() ? "" : other[0][0].c_str();
  std::lock_guard lock{mutex_};
  epoch_ = 0;
  ours_ = false;
  return name.empty() ? "one that has ended since" : name;
}

void ownership::release() {
  {
    std::lock_guard lock{mutex_};
    epoch_ = 0;
    ours_ = false;
    if (!asked_)
      return;
  }
  values ours;
  reserved_.run(release_it, ours.bind(taker_));
}

uint64_t ownership::epoch_now() {
  std::lock_guard lock{mutex_};
  if (epoch_ == 0)
    throw adapter_error{ec::fenced, connections_.where().shown + ": this process does not own the catalogue"};
  return epoch_;
}

void ownership::settle() {
  if (!begin_settling())
    return;
  try {
    values ours;
    auto raised = connections_.run(raise_it, ours.bind(taker_));
    if (!raised.empty()) // else somebody else has raised it
      risen_to(raised[0][0].as<uint64_t>());
    end_settling(false);
  } catch (...) {
    end_settling(true);
    throw;
  }
}

/// False: there is nothing to settle, or no longer.
bool ownership::begin_settling() {
  std::unique_lock lock{mutex_};
  if (!settled_.wait_for(lock, connections_.where().bounds.timeout, [this] { return !settling_; }))
    throw adapter_error{
        ec::timeout, connections_.where().shown + ": what became of an earlier change is not known yet"};
  return settling_ = in_doubt_;
}

void ownership::end_settling(bool in_doubt) {
  {
    std::lock_guard lock{mutex_};
    settling_ = false;
    in_doubt_ = in_doubt;
  }
  settled_.notify_all();
}

void ownership::fenced(uint64_t epoch) {
  std::lock_guard lock{mutex_};
  if (epoch_ == epoch)
    epoch_ = 0;
  throw adapter_error{ec::fenced, connections_.where().shown + ": another process owns the catalogue now"};
}

void ownership::doubt() {
  std::lock_guard lock{mutex_};
  in_doubt_ = true;
}

/// Answers may overtake one another; epochs only rise.
void ownership::risen_to(uint64_t epoch) {
  std::lock_guard lock{mutex_};
  epoch_ = std::max(epoch_, epoch);
}

} // namespace segue::postgres
