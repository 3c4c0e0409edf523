// One connection to PostgreSQL: made within a time limit, never made again behind our back.
#pragma once

#include "adapters/postgres/pqxx.hpp"
#include "adapters/postgres/server.hpp"

namespace segue::postgres {

/// How libpqxx gets its connection. libpq's own limits are whole seconds for each address of a host.
class bounded_connect final : public pqxx::connectionpolicy {
public:
  bounded_connect(const server& where, std::chrono::steady_clock::time_point deadline);

  handle do_startconnect(handle orig) override;

  /// libpqxx asks for it before it connects again by itself: which would be a session without our settings.
  handle do_dropconnect(handle orig) noexcept override;

private:
  const server& where_;
  std::chrono::steady_clock::time_point deadline_;
  bool used_ = false;
};

class connection final : public pqxx::connection_base {
public:
  /// Throws `adapter_error`. `where` lives longer than the connection.
  connection(const server& where, std::chrono::steady_clock::time_point deadline);
  ~connection();

  /// The socket under another number, which stays this socket's also after libpq has closed its own.
  int plug() const { return plug_; }

  /// Nothing is sent or received any more.
  void cut() noexcept;

  /// Whether the server has said nothing since the last answer. What it says unasked is mostly a farewell.
  bool quiet() const;

private:
  bounded_connect policy_;
  int plug_ = -1;
};

} // namespace segue::postgres
