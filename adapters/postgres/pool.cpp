#include "adapters/postgres/pool.hpp"

#include "adapters/postgres/errors.hpp"

namespace segue::postgres {

namespace {

std::string in_ms(std::chrono::milliseconds x) { return std::to_string(x.count()) + " ms"; }

/// What every session begins with.
std::string settings(const server& where) {
  auto patience = std::to_string(server_patience(where.bounds).count());
  return "SET search_path = " + where.schema
         + "; SET synchronous_commit = on; SET extra_float_digits = 3;"
           " SET default_transaction_isolation = 'read committed';"
           " SET statement_timeout = "
         + patience + "; SET idle_in_transaction_session_timeout = " + patience;
}

} // namespace

// -- session ----------------------------------------------------------------------------------------------------------

session::session(pool& from, std::unique_ptr<connection> made, std::chrono::milliseconds limit)
    : from_(from), connection_(std::move(made)), limit_(limit) {
  watch_.emplace(from_.dog_, connection_->plug(), watchdog::clock::now() + limit);
}

session::~session() {
  bool good = !spoilt_ && connection_->is_open() && !watch_->cut();
  watch_.reset(); // before the socket may be closed
  from_.give_back(std::move(connection_), good);
}

pqxx::result session::run(const statement& what, const values& with) {
  for (bool again = true;; again = false) {
    bool sent = false;
    try {
      connection_->prepare(what.name, what.sql);
      connection_->prepare_now(what.name);
      pqxx::nontransaction alone{*connection_};
      sent = true;
      return alone.exec_prepared(what.name, pqxx::prepare::make_dynamic_params(with.texts()));
    } catch (const std::exception& e) {
      if (!again || !connection_->is_open() || !gave_way(state_of(e)))
        fail(e, sent ? what.has : effect::none);
    }
  }
}

void session::together(const std::function<void(pqxx::work&)>& f) {
  try {
    pqxx::work all{*connection_};
    f(all);
    all.commit();
  } catch (const adapter_error&) {
    throw;
  } catch (const std::exception& e) {
    fail(e, effect::changes);
  }
}

void session::fail(const std::exception& e, effect lost) {
  const auto& where = from_.where_;
  if (connection_->is_open()) {
    auto state = state_of(e);
    spoilt_ = spoilt_ || ends_session(state);
    throw refused(where.shown, state.empty() ? "XX000" : state, e.what());
  }
  auto late = watch_->cut();
  if (late)
    from_.breaker_.trip();
  auto what = where.shown + (late ? ": no answer within " + in_ms(limit_) : ": the connection broke");
  if (lost == effect::changes)
    throw adapter_error{ec::unknown_outcome, what + ", after a change was sent: it may or may not be durable"};
  throw adapter_error{late ? ec::timeout : ec::unavailable, what + "; trying again may help"};
}

// -- pool -------------------------------------------------------------------------------------------------------------

session pool::take(std::chrono::milliseconds limit) {
  breaker_.check(where_.shown);
  wait_for_place();
  std::unique_ptr<connection> made;
  try {
    made = idle_one();
    if (!made)
      made = new_one();
  } catch (const adapter_error& e) {
    if (e.code() == ec::timeout)
      breaker_.trip();
    give_back(nullptr, false);
    throw;
  } catch (...) {
    give_back(nullptr, false);
    throw;
  }
  return {*this, std::move(made), limit};
}

void pool::wait_for_place() {
  std::unique_lock lock{mutex_};
  if (!freed_.wait_for(lock, where_.bounds.timeout, [this] { return taken_ < most_; }))
    throw adapter_error{ec::busy, where_.shown + ": all " + std::to_string(most_)
                                      + " connections are in use, and none came free within "
                                      + in_ms(where_.bounds.timeout)};
  ++taken_;
}

/// Null: there is none that is still good.
std::unique_ptr<connection> pool::idle_one() {
  std::vector<std::unique_ptr<connection>> closed; // outside the lock
  std::lock_guard lock{mutex_};
  while (!idle_.empty()) {
    auto last = std::move(idle_.back());
    idle_.pop_back();
    if (last->quiet())
      return last;
    closed.push_back(std::move(last));
  }
  return nullptr;
}

std::unique_ptr<connection> pool::new_one() {
  auto made = std::make_unique<connection>(where_, watchdog::clock::now() + where_.bounds.timeout);
  watchdog::watch limit{dog_, made->plug(), watchdog::clock::now() + where_.bounds.timeout};
  try {
    pqxx::nontransaction{*made}.exec(settings(where_));
  } catch (const std::exception& e) {
    if (limit.cut())
      throw adapter_error{ec::timeout, where_.shown + ": no answer within " + in_ms(where_.bounds.timeout)};
    throw refused(where_.shown, state_of(e), e.what());
  }
  return made;
}

/// Where one broke, those that lie idle are most likely broken too.
void pool::give_back(std::unique_ptr<connection> used, bool good) noexcept {
  std::vector<std::unique_ptr<connection>> closed;
  {
    std::lock_guard lock{mutex_};
    --taken_;
    if (good)
      idle_.push_back(std::move(used)); // there is room: it was reserved
    else if (used)
      closed.swap(idle_);
  }
  freed_.notify_one();
  if (used)
    used->cut(); // else saying goodbye might wait for the network
}

} // namespace segue::postgres
