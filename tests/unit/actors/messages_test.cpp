#define CAF_SUITE actors.messages

#include "actors/messages.hpp"

#include "actors/interfaces.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <concepts>
#include <map>
#include <type_traits>
#include <utility>

#include "tests/support/test.hpp"

using namespace segue;

namespace {

using block = caf::id_block::segue;
using bytes = std::vector<char>;

template <caf::type_id_t I>
using message_at = typename caf::type_by_id<I>::type;

/// These carry handles of actors, which are written and read by an actor system only.
template <class T>
constexpr bool carries_handles = std::is_same_v<T, stream_opened> || std::is_same_v<T, tenant_services>
    || std::is_same_v<T, node_joined> || std::is_same_v<T, node_dialled>;
constexpr size_t handle_carriers = 4;

/// Calls `f` with a default value of every type that has an id, and handles or none.
template <bool Handles = false, class F>
void each_message(F f) {
  [&]<size_t... I>(std::index_sequence<I...>) {
    auto one = [&]<class T>(T x) {
      if constexpr (carries_handles<T> == Handles)
        f(caf::type_name<T>::value, std::move(x));
    };
    (one(message_at<block::begin + I>{}), ...);
  }
  (std::make_index_sequence<block::end - block::begin>{});
}

/// An inspector that gives every field a value that no other field has, as far as its type allows.
class filler {
public:
  using result_type = void;
  static constexpr bool reads_state = false;
  static constexpr bool writes_state = true;

  caf::actor actor; ///< for handles

  template <class... Ts>
  void operator()(Ts&&... fields) {
    (take(fields), ...);
  }

  template <class T>
  void fill(T& x) {
    if constexpr (std::is_same_v<T, bool>)
      x = true;
    else if constexpr (std::is_enum_v<T>)
      x = static_cast<T>(1);
    else if constexpr (std::integral<T> && sizeof(T) == 8)
      x = static_cast<T>(0x1122'3344'5566'0000 + ++count_); // every byte of it must travel
    else if constexpr (std::integral<T>)
      x = static_cast<T>(++count_);
    else if constexpr (std::floating_point<T>)
      x = static_cast<T>(++count_) + 0.1;
    else if constexpr (requires { typename T::signatures; })
      x = caf::actor_cast<T>(actor);
    else if constexpr (std::is_same_v<T, std::string>)
      x = "text " + std::to_string(++count_) + std::string("\0\xff", 2);
    else
      inspect(*this, x);
  }

private:
  template <class T>
  void take(T& x) {
    if constexpr (caf::meta::is_load_callback<T>::value)
      x.fun();
    else if constexpr (!caf::meta::is_annotation<T>::value)
      fill(x);
  }

  /// Some elements; a list inside its own kind ends at the third level.
  template <class T>
  void take(std::vector<T>& xs) {
    if (++depth_ <= 3)
      xs.resize(2 + count_ % 3);
    for (auto& x : xs)
      fill(x);
    --depth_;
  }

  size_t count_ = 0;
  size_t depth_ = 0;
};

template <class T>
T filled(caf::actor actor = {}) {
  T x{};
  filler by;
  by.actor = std::move(actor);
  by.fill(x);
  return x;
}

template <class T>
bytes written(T& x) {
  bytes result;
  caf::binary_serializer sink{nullptr, result};
  CAF_CHECK(!sink(x));
  return result;
}

/// Counts the fields that `inspect` names.
struct counter {
  using result_type = size_t;
  static constexpr bool reads_state = true;
  static constexpr bool writes_state = false;

  template <class... Ts>
  size_t operator()(const Ts&...) {
    return (size_t{0} + ... + (caf::meta::is_annotation<Ts>::value ? 0 : 1));
  }
};

/// Converts to anything: what a field is initialised with while fields are counted.
struct anything {
  template <class T>
  operator T() const;
};

/// The fields that an aggregate has.
template <class T, class... Known>
constexpr size_t fields_of() {
  if constexpr (requires { T{Known{}..., anything{}}; })
    return fields_of<T, Known..., anything>();
  else
    return sizeof...(Known);
}

} // namespace

CAF_TEST(every type of the block is tested but the ones with handles) {
  std::map<std::string, size_t> names;
  each_message([&](const char* name, const auto&) { ++names[name]; });
  CAF_CHECK_EQUAL(names.size(), size_t{block::end} - block::begin - handle_carriers);
  CAF_CHECK_EQUAL(names.count("segue::generation_row"), 1u);
  CAF_CHECK_EQUAL(names.count("segue::resend_appends"), 1u);
  for (const char* name : {"put_object", "load_archived", "transfer_row", "lease_transfers", "mark_archive", "api_key", "role"})
    CAF_CHECK_EQUAL(names.count("segue::" + std::string{name}), 1u);
  for (const char* name : {"stream_opened", "tenant_services", "node_joined", "node_dialled"})
    CAF_CHECK_EQUAL(names.count("segue::" + std::string{name}), 0u);
}

CAF_TEST(every message names all its fields to inspectors) {
  each_message([]<class T>(const char* name, T x) {
    CAF_MESSAGE(name);
    if constexpr (std::is_aggregate_v<T>) {
      counter count;
      CAF_CHECK_EQUAL(inspect(count, x), fields_of<T>());
    } else {
      CAF_CHECK(std::is_enum_v<T> || (std::is_same_v<T, payload>));
    }
  });
}

CAF_TEST(every message travels as bytes and comes back as it was) {
  each_message([]<class T>(const char* name, T arrived) {
    CAF_MESSAGE(name);
    auto x = filled<T>();
    auto sent = written(x);
    if constexpr (!std::is_empty_v<T>)
      CAF_CHECK(sent != written(arrived)); // nothing was left at its default
    caf::binary_deserializer source{nullptr, sent};
    CAF_CHECK(!source(arrived));
    CAF_CHECK_EQUAL(source.remaining(), 0u);
    CAF_CHECK_EQUAL(caf::deep_to_string(arrived), caf::deep_to_string(x));
    CAF_CHECK(written(arrived) == sent);
    if constexpr (std::equality_comparable<T>)
      CAF_CHECK(arrived == x);
  });
}

CAF_TEST(a message cut short is refused) {
  each_message([]<class T>(const char* name, T) {
    CAF_MESSAGE(name);
    auto x = filled<T>();
    auto sent = written(x);
    for (size_t size = 0; size < sent.size(); ++size) {
      bytes part(sent.begin(), sent.begin() + static_cast<ptrdiff_t>(size));
      caf::binary_deserializer source{nullptr, part};
      T arrived{};
      CAF_REQUIRE(source(arrived));
    }
  });
}

CAF_TEST(an actor system knows every message by its name) {
  caf::actor_system_config config;
  register_messages(config);
  caf::actor_system system{config};
  each_message([&]<class T>(const char* name, T) {
    CAF_MESSAGE(name);
    auto x = filled<T>();
    auto message = caf::make_message(x);
    bytes sent;
    caf::binary_serializer sink{system, sent};
    CAF_CHECK(!sink(message));
    caf::message arrived;
    caf::binary_deserializer source{system, sent};
    CAF_CHECK(!source(arrived));
    CAF_REQUIRE(arrived.match_elements<T>());
    CAF_CHECK(written(arrived.get_mutable_as<T>(0)) == written(x));
  });
}

CAF_TEST(handles travel with their messages) {
  caf::actor_system_config config;
  register_messages(config);
  caf::actor_system system{config};
  auto somebody = system.spawn([](caf::event_based_actor*) { return caf::behavior{[](int) {}}; });
  each_message<true>([&]<class T>(const char* name, T) {
    CAF_MESSAGE(name);
    auto message = caf::make_message(filled<T>(somebody));
    bytes sent;
    caf::binary_serializer sink{system, sent};
    CAF_CHECK(!sink(message));
    caf::message arrived;
    caf::binary_deserializer source{system, sent};
    CAF_CHECK(!source(arrived));
    CAF_CHECK_EQUAL(source.remaining(), 0u);
    CAF_REQUIRE(arrived.match_elements<T>());
    CAF_CHECK_EQUAL(caf::deep_to_string(arrived), caf::deep_to_string(message));
    CAF_CHECK(caf::deep_to_string(arrived).find(std::to_string(somebody.id()) + "@") != std::string::npos);
    counter count;
    auto x = arrived.get_as<T>(0);
    CAF_CHECK(inspect(count, x) > 0);
  });
  caf::anon_send_exit(somebody, caf::exit_reason::user_shutdown);
}

CAF_TEST(every value of an enumeration has its name) {
  auto spell = []<class Enumeration>(Enumeration last) {
    std::string all;
    for (int i = 0; i <= static_cast<int>(last); ++i)
      all += (i == 0 ? "" : " ") + to_string(static_cast<Enumeration>(i));
    return all;
  };
  CAF_CHECK_EQUAL(spell(generation_state::purging), "queued running completed failed cancelled purging");
  CAF_CHECK_EQUAL(spell(transfer_kind::remove), "upload evict download remove");
  CAF_CHECK_EQUAL(spell(transfer_state::done), "waiting running dead done");
  CAF_CHECK_EQUAL(spell(role::admin), "nobody reader writer admin");
  CAF_CHECK_EQUAL(spell(node_state::refused), "entering joined dialling refused");
}

CAF_TEST(what somebody may see is theirs unless they are the admin) {
  for (auto may : {role::nobody, role::reader, role::writer}) {
    tenant_services x{{}, {}, {}, {}, "alpha", "ada", may};
    CAF_CHECK(x.may_see("ada") && !x.may_see("bob") && !x.may_see(""));
    CAF_CHECK_EQUAL(x.only_of(), "ada");
  }
  tenant_services admin{{}, {}, {}, {}, "alpha", "ada", role::admin};
  CAF_CHECK(admin.may_see("ada") && admin.may_see("bob") && admin.may_see(""));
  CAF_CHECK_EQUAL(admin.only_of(), "");
}
