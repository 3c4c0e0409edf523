// A PostgreSQL server of one test alone: to be stopped, started again, and frozen.
#pragma once

#include "tests/support/engines.hpp"

#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>

namespace segue {

class postgres_server {
public:
  /// `settings` are lines of postgresql.conf.
  explicit postgres_server(const std::string& settings = {}) : port_(free_port()) {
    if (geteuid() == 0) // the server refuses to run as root
      give_to("postgres");
    write("password", password);
    run("initdb -D data -U segue --pwfile=password --auth=scram-sha-256 --encoding=UTF8 --no-locale --no-sync");
    write("data/postgresql.conf", "listen_addresses = '127.0.0.1'\nport = " + std::to_string(port_)
                                      + "\nunix_socket_directories = ''\nfsync = off\nmax_connections = 30\n" + settings
                                      + "\n");
    start();
  }
  postgres_server(const postgres_server&) = delete;
  postgres_server& operator=(const postgres_server&) = delete;

  ~postgres_server() {
    thaw();
    try {
      stop();
    } catch (const std::exception&) {
      // it was stopped already
    }
  }

  void start() { run("pg_ctl start -w -D data -l server.log"); }
  void stop() { run("pg_ctl stop -w -m immediate -D data"); }

  /// Nothing of it does anything until `thaw`.
  void freeze() { signal_all(SIGSTOP); }
  void thaw() { signal_all(SIGCONT); }

  /// For a process of it.
  static void freeze(int process) { ::kill(process, SIGSTOP); }
  static void thaw(int process) { ::kill(process, SIGCONT); }

  /// Of its database, as the superuser or another one.
  std::string plain_url(const std::string& user = "segue", const std::string& secret = password) const {
    return "postgresql://" + user + ":" + secret + "@127.0.0.1:" + std::to_string(port_) + "/postgres";
  }

  /// Of a schema of its own.
  std::string url() const { return plain_url() + "?schema=" + fresh_name(); }

  static inline const std::string password = "pass-of-tests";

private:
  static uint16_t free_port() {
    auto socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bool good = ::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0
                && ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(socket);
    if (!good)
      throw std::runtime_error{"no free port"};
    return ntohs(address.sin_port);
  }

  /// Where Debian has the server's programs, which are not in the PATH; the newest.
  static std::filesystem::path programs() {
    std::filesystem::path newest;
    for (const auto& x : std::filesystem::directory_iterator{"/usr/lib/postgresql"})
      if (std::filesystem::exists(x.path() / "bin/initdb"))
        newest = std::max(newest, x.path() / "bin");
    if (newest.empty())
      throw std::runtime_error{"no PostgreSQL server: apt-get install postgresql"};
    return newest;
  }

  void give_to(const char* user) {
    const auto* who = getpwnam(user);
    if (!who || ::chown(folder_.path().c_str(), who->pw_uid, who->pw_gid) != 0)
      throw std::runtime_error{"no user postgres: apt-get install postgresql"};
    as_user_ = "setpriv --reuid=postgres --regid=postgres --clear-groups ";
  }

  void write(const std::string& name, const std::string& text) {
    std::ofstream{folder_.path() / name} << text;
    std::filesystem::permissions(
        folder_.path() / name, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
  }

  void run(const std::string& command) {
    auto line = "cd " + folder_.path().string() + " && " + as_user_ + (programs() / command).string()
                + " >>out.log 2>&1 </dev/null";
    if (std::system(line.c_str()) != 0)
      throw std::runtime_error{"failed: " + line + "\n" + log()};
  }

  std::string log() const {
    std::ostringstream text;
    text << std::ifstream{folder_.path() / "out.log"}.rdbuf();
    return text.str();
  }

  void signal_all(int what) const {
    pid_t first = 0;
    std::ifstream{folder_.path() / "data/postmaster.pid"} >> first;
    if (first <= 0)
      return;
    ::kill(first, what);
    for (const auto& x : std::filesystem::directory_iterator{"/proc"})
      if (auto process = std::atoi(x.path().filename().c_str()); process > 0 && parent_of(process) == first)
        ::kill(process, what);
  }

  static pid_t parent_of(pid_t process) {
    std::ifstream status{"/proc/" + std::to_string(process) + "/status"};
    for (std::string word; status >> word;)
      if (pid_t parent = 0; word == "PPid:" && status >> parent)
        return parent;
    return 0;
  }

  temporary_folder folder_;
  uint16_t port_;
  std::string as_user_;
};

} // namespace segue
