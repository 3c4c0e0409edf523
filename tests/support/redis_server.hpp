// A Redis server of a test's own, in a temporary folder: it may be killed, hung up, and set up wrongly.
#pragma once

#include "adapters/redis/connection.hpp"
#include "tests/support/engines.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <thread>

namespace segue {

/// A port of loopback that nobody uses at the moment.
inline uint16_t free_port() {
  auto socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto good = ::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0
      && ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(socket);
  if (!good)
    throw std::runtime_error{"no free port"};
  return ntohs(address.sin_port);
}

/// Synced always and with a password, unless options such as `--appendfsync everysec` say otherwise.
class redis_server {
public:
  explicit redis_server(redis::words options = {}) : options_(std::move(options)), port_(free_port()) { start(); }
  redis_server(const redis_server&) = delete;
  redis_server& operator=(const redis_server&) = delete;
  ~redis_server() { kill(); }

  uint16_t port() const { return port_; }

  /// `port`: of a gate in front of it.
  std::string url(const std::string& query = "", uint16_t port = 0) const {
    return "redis://:secret@127.0.0.1:" + std::to_string(port == 0 ? port_ : port) + "/0" + query;
  }

  /// Runs one command as the administrator.
  redis::reply tell(const redis::words& command) const {
    redis::connection x{redis::server_of(parse_store_url(url()), std::chrono::seconds{5})};
    x.connect();
    return x.run(command);
  }

  void set(const std::string& name, const std::string& value) const { tell({"CONFIG", "SET", name, value}); }

  /// As when the machine loses power; what is on disk stays.
  void kill() {
    if (process_ <= 0)
      return;
    ::kill(-process_, SIGKILL); // and whoever rewrites its log
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
  }

  /// It neither answers nor hangs up, until it goes on.
  void hang() const { ::kill(process_, SIGSTOP); }
  void go_on() const { ::kill(process_, SIGCONT); }

  void start() {
    redis::words command{"redis-server", "--port", std::to_string(port_), "--bind", "127.0.0.1", "--dir",
        folder_.path().string(), "--requirepass", "secret", "--save", "", "--appendonly", "yes", "--appendfsync", "always",
        "--logfile", "log", "--loglevel", "warning"};
    command.insert(command.end(), options_.begin(), options_.end());
    std::vector<char*> arguments;
    for (auto& word : command)
      arguments.push_back(word.data());
    arguments.push_back(nullptr);
    process_ = ::fork();
    if (process_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL); // it must not outlive a test that crashes
      ::setpgid(0, 0);
      ::execvp(arguments[0], arguments.data());
      ::_exit(127);
    }
    wait_until_it_answers();
  }

private:
  void wait_until_it_answers() const {
    for (auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};;) {
      try {
        tell({"PING"});
        return;
      } catch (const adapter_error& e) {
        if (std::chrono::steady_clock::now() > until || ::waitpid(process_, nullptr, WNOHANG) != 0)
          throw std::runtime_error{std::string{"redis-server does not start; is it installed? "} + e.what()};
      }
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
  }

  redis::words options_;
  temporary_folder folder_;
  uint16_t port_;
  pid_t process_ = -1;
};

} // namespace segue
