// A session: the actor of one request. It lives on the I/O thread of its connection: replies, errors and timeouts arrive
// there, without a hop over the scheduler and without a lock in the handlers. `ask` is the only bridge between the edge
// and the actors.
#pragma once

#include "actors/interfaces.hpp"
#include "http/give_way.hpp"
#include "http/io_unit.hpp"
#include "http/time_limit.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <memory>
#include <optional>

namespace segue::http {

/// What `Handle` answers to `Request`.
template <class Handle, class Request>
using reply_of = typename caf::detail::tl_head<
    typename caf::response_type_unbox<caf::signatures_of_t<Handle>, caf::detail::type_list<Request>>::type>::type;

/// Owns the actor, which begins with the first question; used on the I/O thread only. One question at a time.
class session {
public:
  explicit session(io_unit& on);
  ~session();
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  /// Sends a request and waits for its answer. An answer that does not come becomes `ec::timeout`, by a timer of this
  /// thread: one of the actor system would wake another thread for each question.
  template <class Handle, class Request>
  asio::awaitable<caf::expected<reply_of<Handle, Request>>> ask(
      Handle destination, Request request, std::chrono::milliseconds timeout = std::chrono::seconds{40}) {
    using result = caf::expected<reply_of<Handle, Request>>;
    auto initiate = [&](auto handler) {
      struct question {
        decltype(handler) go_on;
        std::optional<result> answer;
      };
      auto asked = std::make_shared<question>(std::move(handler));
      auto settle = [this, asked](result x) {
        if (asked->answer)
          return;
        asked->answer = std::move(x);
        abort_ = nullptr;
        on_.go_on_later([asked] { std::move(asked->go_on)(std::move(*asked->answer)); });
      };
      abort_ = [settle](caf::error why) { settle(std::move(why)); };
      actor().request(destination, caf::infinite, std::move(request))
          .then([settle](reply_of<Handle, Request>& x) { settle(std::move(x)); },
              [settle](caf::error& why) { settle(std::move(why)); });
    };
    if (aborted_)
      co_return client_left();
    time_limit limit{on_.io().get_executor(), timeout, [this] { give_up(caf::make_error(ec::timeout)); }};
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(result)>(initiate, asio::use_awaitable);
  }

  /// Gives the actor up until the next question: who waits for hours asks nothing meanwhile.
  void rest();

  /// Waits until what `start` was given is called, or until `abort`.
  asio::awaitable<void> suspend(std::function<void(std::function<void()> resume)> start);

  /// Waits for so long, or until `abort`.
  asio::awaitable<void> pause(std::chrono::milliseconds duration);

  /// Before each part of what is sent from the past, so that what is live goes first.
  asio::awaitable<void> give_way() { return http::give_way(on_.io()); }

  /// From now on `wake` ends what it waits for, also one that came before.
  void may_be_woken() {
    wakeable_ = true;
    if (woken_)
      abort();
  }
  void wake() {
    woken_ = true;
    if (wakeable_)
      abort();
  }

  bool aborted() const { return aborted_; }

  /// Ends the question or wait under way, and every later one, at once.
  void abort();

private:
  static caf::error client_left() { return caf::make_error(ec::unavailable, std::string{"the client has left"}); }

  io_actor& actor();
  void give_up(caf::error why);

  io_unit& on_;
  caf::actor handle_; ///< null while it rests
  std::function<void(caf::error)> abort_; ///< ends the question or wait under way
  bool aborted_ = false;
  bool wakeable_ = false;
  bool woken_ = false;
};

} // namespace segue::http
