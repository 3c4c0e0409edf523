#include "adapters/postgres/connection.hpp"

#include "adapters/postgres/errors.hpp"

#include <libpq-fe.h>

#include <memory>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace segue::postgres {

namespace {

using clock = std::chrono::steady_clock;

constexpr int oldest_server = 120'000; ///< 12.0: what the SQL here was written for

struct finisher {
  void operator()(PGconn* x) const { PQfinish(x); }
};
using handle_owner = std::unique_ptr<PGconn, finisher>;

handle_owner begin(const server& where) {
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : where.parameters) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  handle_owner made{PQconnectStartParams(names.data(), values.data(), 0)};
  if (!made)
    throw std::bad_alloc{};
  return made;
}

/// False: the time is over.
bool wait_for(int socket, PostgresPollingStatusType what, clock::time_point deadline) {
  auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now()).count();
  if (left <= 0)
    return false;
  pollfd one{socket, static_cast<short>(what == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
  auto ready = ::poll(&one, 1, static_cast<int>(left));
  return ready > 0 || (ready < 0 && errno == EINTR);
}

[[noreturn]] void fail(const server& where, const PGconn* tried) {
  std::string message = PQerrorMessage(tried);
  throw refused(where.shown, state_in(message), message);
}

} // namespace

bounded_connect::bounded_connect(const server& where, clock::time_point deadline)
    : connectionpolicy({}), where_(where), deadline_(deadline) {}

bounded_connect::handle bounded_connect::do_startconnect(handle orig) {
  if (orig)
    return orig;
  if (std::exchange(used_, true))
    throw pqxx::broken_connection{"the connection broke"};
  auto made = begin(where_);
  if (PQstatus(made.get()) == CONNECTION_BAD)
    fail(where_, made.get());
  PQsetErrorVerbosity(made.get(), PQERRORS_VERBOSE); // else it does not tell the SQLSTATE of a refusal
  for (auto next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK; next = PQconnectPoll(made.get())) {
    if (next == PGRES_POLLING_FAILED)
      fail(where_, made.get());
    if (!wait_for(PQsocket(made.get()), next, deadline_))
      throw adapter_error{ec::timeout, where_.shown + ": no connection within "
                                           + std::to_string(where_.bounds.timeout.count())
                                           + " ms; check that the server runs and that the network lets us reach it"};
  }
  PQsetErrorVerbosity(made.get(), PQERRORS_TERSE); // rows do not belong into logs
  return made.release();
}

bounded_connect::handle bounded_connect::do_dropconnect(handle orig) noexcept {
  PQfinish(orig);
  return nullptr;
}

connection::connection(const server& where, clock::time_point deadline)
    : connection_base(policy_), policy_(where, deadline) {
  try {
    init();
    if (server_version() < oldest_server)
      throw refused(where.shown, "0A000", "version " + std::to_string(server_version() / 10'000) + " is too old");
    plug_ = ::fcntl(sock(), F_DUPFD_CLOEXEC, 0);
    if (plug_ < 0)
      throw adapter_error{ec::unavailable, where.shown + ": no file descriptor is left; raise the limit (ulimit -n)"};
  } catch (...) {
    close();
    throw;
  }
}

connection::~connection() {
  close();
  if (plug_ >= 0)
    ::close(plug_);
}

void connection::cut() noexcept { ::shutdown(plug_, SHUT_RDWR); }

bool connection::quiet() const {
  pollfd one{plug_, POLLIN, 0};
  return is_open() && ::poll(&one, 1, 0) == 0;
}

} // namespace segue::postgres
