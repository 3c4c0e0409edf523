// Status line and fields of a response, as they go onto the wire. Plain: knows no connection.
#pragma once

#include <string>
#include <string_view>

namespace segue::http {

/// Now, as headers tell it. Made anew once a second on each thread.
std::string_view http_date();

class response_head {
public:
  /// `version`: 10 or 11.
  response_head(unsigned version, unsigned status);

  /// A line break in a value would begin a line of the client's own making: it becomes a space.
  void add(std::string_view name, std::string_view value);

  /// The whole head, with the empty line that ends it.
  std::string take();

private:
  std::string text_;
};

} // namespace segue::http
