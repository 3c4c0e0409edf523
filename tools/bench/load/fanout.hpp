// Listeners on streams to which chunks are published on a schedule.
#pragma once

#include "arguments.hpp"
#include "listener.hpp"

#include <unordered_map>

namespace load {

struct fanout_options {
  explicit fanout_options(arguments& from);

  uint16_t port;
  server_processes server;
  size_t listeners;      ///< of all streams together
  size_t streams;
  std::string publish;   ///< path; {} is the number of the stream
  std::string listen;    ///< likewise
  std::string type;      ///< Content-Type of what is published
  std::string producer;  ///< id of the producer who alone may publish
  door format;
  chunk_format chunks;
  double rate;           ///< chunks a second, of each stream
  double warm_up;        ///< seconds
  double seconds;        ///< measured
  size_t behind;         ///< chunks that are there before the listeners come
};

class fanout {
public:
  explicit fanout(const fanout_options& with);

  /// Chunks at their times: what the server spent, and the listeners heard, after the warm-up.
  report at_the_tail();

  /// Listeners who come late, and hear what is there already.
  report catching_up();

  /// Listeners who have heard one chunk and wait for the next: what they cost in memory and CPU.
  report waiting();

  /// Streams that have one chunk and no listener: what they cost in memory.
  report open_streams();

private:
  struct publisher {
    int fd = -1;
    std::string path;
    std::string to_send;     ///< requests that the socket has not taken yet
    std::string answers;     ///< the part of an answer that has come
    uint64_t sequence = 0;   ///< chunks published
    uint64_t answered = 0;
    uint64_t first_heard = 0; ///< the first one after the listeners came
  };

  std::string request(const publisher& who, const char* method, size_t body) const;
  void watch(int fd);
  void add_publisher(size_t stream);
  void open_listeners();
  void publish(publisher& to);
  void publish_one_each();
  void flush(publisher& from);
  void receive_until(int64_t moment);
  void receive_rest();
  void receive(int fd);
  void take_answers(publisher& to, std::string_view bytes);
  void hear(listener& who, std::string_view bytes);
  void add_mistakes(report& numbers) const;
  uint64_t expected() const;
  uint64_t unanswered() const;

  const fanout_options& with_;
  int epoll_;
  std::vector<publisher> publishers_;           ///< one for each stream
  std::unordered_map<int, size_t> stream_of_;   ///< by the publisher's socket
  std::unordered_map<int, listener> listeners_; ///< by socket
  uint64_t deliveries_ = 0;
  std::vector<int64_t> latencies_; ///< ns from just before the publishing to the last byte heard
};

} // namespace load
