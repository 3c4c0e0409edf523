#include "tools/doctor.hpp"

#include "adapters/registry.hpp"
#include "adapters/store_url.hpp"
#include "tools/compose.hpp"
#include "tools/data_folder.hpp"
#include "tools/engines.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <iostream>

namespace segue {

namespace {

struct finding {
  std::string what;
  bool good = false;
  std::string detail;
};

finding check_folder(const settings& with) {
  try {
    data_folder folder{with.data};
    return {"data folder", true, folder.path().string() + " is writable and free"};
  } catch (const bad_folder& e) {
    return {"data folder", false, e.what};
  }
}

finding check_space(const settings& with) {
  std::error_code error;
  auto space = std::filesystem::space(with.data, error);
  if (error)
    return {"free space", false, with.data + ": " + error.message()};
  auto text = std::to_string(space.available >> 20) + " MiB free, " + std::to_string(with.reserve_bytes >> 20)
      + " MiB are kept in reserve";
  bool enough = space.available > with.reserve_bytes;
  return {"free space", enough, enough ? text : text + ": free some, or lower --reserve"};
}

finding check_generator(const settings& with) {
  try {
    auto sound = open_sound_source(with.generator, {with.data, with.reserve_bytes, with.soundfont});
    return {"generator", true, sound.probe()};
  } catch (const std::exception& e) {
    return {"generator", false, e.what()};
  }
}

/// Opens the stores as a worker would, which takes nothing from a server that runs on them.
finding check_stores(const settings& with) {
  try {
    std::string good, bad; // of all tenants
    for (auto& x : engines_of(with, with.data, false)) {
      try {
        open_stores(x);
        for (const auto& url : {x.with->chunk_store, x.with->cache, x.with->catalogue, x.with->objects})
          good += (good.empty() ? "" : ", ") + redacted(url);
      } catch (const std::exception& e) {
        bad += (bad.empty() ? "" : "; ") + prefix_of(x, with) + e.what();
      }
    }
    return {"stores", bad.empty(), bad.empty() ? good : bad};
  } catch (const cannot_start& e) {
    return {"stores", false, e.what};
  }
}

finding check_port(const settings& with) {
  namespace asio = boost::asio;
  auto address = with.listen_host + ":" + std::to_string(with.listen_port);
  if (!is_loopback(with.listen_host) && !with.insecure && !with.auth)
    return {"listen address", false, address + " is not a loopback address, and neither --auth nor --insecure is given"};
  try {
    asio::io_context io;
    asio::ip::tcp::resolver resolver{io};
    auto endpoint = resolver.resolve(with.listen_host, std::to_string(with.listen_port)).begin()->endpoint();
    asio::ip::tcp::acceptor acceptor{io, endpoint};
    return {"listen address", true, address + " is free"};
  } catch (const boost::system::system_error& e) {
    return {"listen address", false, address + ": " + e.code().message() + "; give another one with --listen"};
  }
}

} // namespace

int run_doctor(const settings& with, bool json) {
  bool good = true;
  auto all = nlohmann::ordered_json::array();
  for (const auto& check : {check_folder, check_space, check_stores, check_generator, check_port}) {
    auto found = check(with);
    good = good && found.good;
    all.push_back({{"check", found.what}, {"ok", found.good}, {"detail", found.detail}});
    if (!json)
      std::printf("%-4s %-15s %s\n", found.good ? "ok" : "BAD", found.what.c_str(), found.detail.c_str());
  }
  if (json)
    std::cout << nlohmann::ordered_json{{"ok", good}, {"checks", all}}.dump() << std::endl;
  return good ? 0 : 1;
}

} // namespace segue
