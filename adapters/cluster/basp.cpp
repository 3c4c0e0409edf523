#include "adapters/cluster/basp.hpp"

#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/stream_impl.hpp>
#include <caf/send.hpp>

namespace segue::cluster {

namespace {

namespace net = caf::io::network;

/// How CAF reads and writes a socket.
class secret_policy {
public:
  explicit secret_policy(std::unique_ptr<secrecy> with) : secrecy_(std::move(with)) {}

  net::rw_state read_some(size_t& result, net::native_socket, void* into, size_t most) { return told(secrecy_->read(into, most), result); }

  net::rw_state write_some(size_t& result, net::native_socket, const void* from, size_t size) {
    if (size > 0)
      return told(secrecy_->write(from, size), result);
    result = 0;
    return net::rw_state::indeterminate; // as CAF wants it told that there is nothing
  }

  /// What is decrypted already is not announced by the socket.
  bool must_read_more(net::native_socket, size_t threshold) { return secrecy_->waiting() >= threshold; }

private:
  static net::rw_state told(secrecy::progress x, size_t& result) {
    result = x.bytes;
    return x.broken ? net::rw_state::failure : net::rw_state::success;
  }

  std::unique_ptr<secrecy> secrecy_;
};

/// A connection of CAF's that is encrypted.
class secret_scribe final : public caf::io::scribe {
public:
  secret_scribe(net::default_multiplexer& at, int socket, std::unique_ptr<secrecy> with)
      : scribe(net::conn_hdl_from_socket(socket)), stream_(at, socket, std::move(with)) {}

  void configure_read(caf::io::receive_policy::config how) override {
    stream_.configure_read(how);
    if (!std::exchange(begun_, true))
      stream_.start(this);
  }

  void ack_writes(bool enable) override { stream_.ack_writes(enable); }
  std::vector<char>& wr_buf() override { return stream_.wr_buf(); }
  std::vector<char>& rd_buf() override { return stream_.rd_buf(); }
  void flush() override { stream_.flush(this); }
  void add_to_loop() override { stream_.activate(this); }
  void remove_from_loop() override { stream_.passivate(); }

  void graceful_shutdown() override {
    stream_.graceful_shutdown();
    detach(&stream_.backend(), false);
  }

  std::string addr() const override {
    auto known = net::remote_addr_of_fd(stream_.fd());
    return known ? *known : std::string{};
  }

  uint16_t port() const override {
    auto known = net::remote_port_of_fd(stream_.fd());
    return known ? *known : 0;
  }

private:
  bool begun_ = false;
  net::stream_impl<secret_policy> stream_;
};

} // namespace

caf::actor basp_of(caf::actor_system& system) { return system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP")); }

caf::io::scribe_ptr scribe_of(caf::actor_system& system, encrypted x) {
  auto& at = dynamic_cast<net::default_multiplexer&>(system.middleman().backend());
  return caf::make_counted<secret_scribe>(at, x.socket.release(), std::move(x.with));
}

void enter_basp(caf::actor_system& system, encrypted x, unsigned short port, const node_actor& whom) {
  caf::anon_send(basp_of(system), caf::publish_atom_v, scribe_of(system, std::move(x)), port, caf::actor_cast<caf::strong_actor_ptr>(whom),
      system.message_types(whom));
}

} // namespace segue::cluster
