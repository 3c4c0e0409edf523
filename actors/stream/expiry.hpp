// When streams expire: at a fixed time, or when nobody has used them for a while. Plain classes.
#pragma once

#include "actors/messages.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace segue {

/// The time of one stream.
class expiry {
public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr time_point never = time_point::max();

  expiry() = default;

  /// As the row says, used at `now` for the last time; `unix_ms` is the wall clock at the same moment.
  expiry(const stream_row& row, time_point now, int64_t unix_ms);

  /// Reading and appending gives it a whole time to live again; a fixed time stays.
  void use(time_point now);

  /// It was used for the last time long before.
  void end_by(time_point deadline) { deadline_ = std::min(deadline_, deadline); }

  time_point deadline() const { return deadline_; }
  bool over(time_point now) const { return now >= deadline_; }

private:
  std::chrono::milliseconds ttl_{-1};
  time_point deadline_ = never;
};

/// Those of streams that nobody has open.
class expiries {
public:
  using time_point = expiry::time_point;

  /// It is not taken before `earliest`, as long as its time may be over by then.
  void set(const std::string& path, time_point deadline, time_point earliest = time_point::min());
  void forget(const std::string& path);

  /// When this one's time is over.
  time_point deadline(const std::string& path) const;

  /// Takes out those whose time is over, unless they are to be taken later.
  std::vector<std::string> take_over(time_point now);

  /// When the first one is to be taken.
  time_point next() const { return by_time_.empty() ? expiry::never : by_time_.begin()->first; }

private:
  struct timed {
    std::string path;
    time_point deadline;
  };

  std::multimap<time_point, timed> by_time_; ///< when they are to be taken
  std::map<std::string, std::multimap<time_point, timed>::iterator> by_path_;
};

} // namespace segue
