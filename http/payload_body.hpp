// A response body of shared bytes, for Beast. Included by `connection.cpp` alone.
#pragma once

#include "actors/payload.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/optional.hpp>

#include <vector>

namespace segue::http {

/// A Beast body of shared payloads: header and body leave in one gathered write.
struct payload_body {
  using value_type = std::vector<payload>;

  static uint64_t size(const value_type& x) {
    uint64_t sum = 0;
    for (const auto& part : x)
      sum += part.size();
    return sum;
  }

  class writer {
  public:
    using const_buffers_type = std::vector<boost::asio::const_buffer>;

    template <bool is_request, class Fields>
    writer(const boost::beast::http::header<is_request, Fields>&, const value_type& body) : body_(body) {}
    void init(boost::system::error_code& error) { error = {}; }

    boost::optional<std::pair<const_buffers_type, bool>> get(boost::system::error_code& error) {
      error = {};
      const_buffers_type buffers;
      for (const auto& part : body_)
        buffers.push_back(boost::asio::buffer(part.view()));
      return {{std::move(buffers), false}};
    }

  private:
    const value_type& body_;
  };
};

} // namespace segue::http
