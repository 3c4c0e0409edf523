#include "tools/doctor.hpp"

#include "adapters/registry.hpp"
#include "adapters/store_url.hpp"
#include "http/tls_context.hpp"
#include "tools/compose.hpp"
#include "tools/data_folder.hpp"
#include "tools/engines.hpp"

#include <boost/asio/connect.hpp>
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
    check_data_folder(with.data);
    auto folder = std::filesystem::absolute(with.data).string();
    return {"data folder", true, folder + " is writable and free"
        + (others_may_read(folder) ? "; but every user of this machine may read it: chmod 700 " + folder : "")};
  } catch (const bad_folder& e) {
    return {"data folder", false, e.what};
  }
}

finding check_space(const settings& with) {
  std::error_code error;
  auto space = std::filesystem::space(nearest_folder(with.data), error);
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

/// Of embedded stores that are not in the data folder.
void check_own_folders(const tenant_engines& x) {
  const auto& with = *x.with;
  if (auto file = catalogue_file(with.catalogue, x.context.data); with.catalogue != "sqlite:" && !file.empty()) {
    check_writable(file.parent_path());
    owner_lock::expect_free(lock_beside(file), "the catalogue " + file.string(), "--catalogue");
  }
  if (with.objects.starts_with("file:/"))
    check_writable(with.objects.substr(with.objects.find(':') + 1));
}

/// What is wrong with the stores of a tenant. Networked ones are opened as a worker would, which takes nothing from a server that runs on
/// them, and asked something, since some open while they are away. Embedded ones are left alone: opening makes and mends files, and they
/// may be those of a server that runs.
std::vector<std::string> faults_of(const tenant_engines& x) {
  static const std::string key = "segue-check"; // need not be there
  std::vector<std::string> faults;
  auto ask = [&](const char* name, const std::string& url, auto open, auto question) {
    try {
      if (is_networked(url))
        question(*open(url, x.context));
    } catch (const std::exception& e) {
      faults.push_back(std::string{name} + ": " + e.what());
    }
  };
  ask("chunk-store", x.with->chunk_store, open_chunk_store, [](chunk_store& store) { store.load_row(key); });
  ask("cache (a server starts without it)", x.with->cache, open_chunk_cache, [](chunk_cache& cache) { cache.probe(); });
  ask("catalogue", x.with->catalogue, open_catalogue, [](catalogue_store& store) { store.find_key(key); });
  ask("objects", x.with->objects, open_object_store, [](object_store& store) {
    try {
      store.read(key, 0, 1);
    } catch (const adapter_error& e) {
      if (e.code() != ec::not_found)
        throw;
    }
  });
  try {
    check_own_folders(x);
  } catch (const bad_folder& e) {
    faults.push_back(e.what);
  } catch (const std::exception& e) {
    faults.push_back(e.what());
  }
  return faults;
}

finding check_stores(const settings& with) {
  try {
    std::string good, bad; // of all tenants
    for (const auto& x : engines_of(with, with.data, false)) {
      for (const auto& fault : faults_of(x))
        bad += (bad.empty() ? "" : "; ") + prefix_of(x.name, with) + fault;
      for (const auto& store : store_settings) {
        const auto& url = (*x.with).*store.url;
        good += (good.empty() ? "" : ", ") + redacted(url) + (is_networked(url) ? "" : " (not opened)");
      }
    }
    return {"stores", bad.empty(), bad.empty() ? good : bad};
  } catch (const bad_setting& e) {
    return {"stores", false, e.what};
  } catch (const cannot_start& e) {
    return {"stores", false, e.what};
  }
}

/// Whether an address can be listened on.
std::string listening_fails(const std::string& host, unsigned short port) {
  namespace asio = boost::asio;
  boost::system::error_code error;
  asio::io_context io;
  asio::ip::tcp::resolver resolver{io};
  auto found = resolver.resolve(host, std::to_string(port), error);
  if (error)
    return error.message();
  try {
    asio::ip::tcp::acceptor acceptor{io, found.begin()->endpoint()};
    return {};
  } catch (const boost::system::system_error& e) {
    return e.code().message();
  }
}

finding check_port(const settings& with) {
  try {
    check_doors(with);
    if (!with.tls_certificate.empty())
      http::make_tls_context({with.tls_certificate, with.tls_key});
  } catch (const bad_setting& e) {
    return {"listen address", false, e.what};
  } catch (const std::exception& e) {
    return {"listen address", false, e.what()};
  }
  auto address = with.listen_host + ":" + std::to_string(with.listen_port);
  auto why = listening_fails(with.listen_host, with.listen_port);
  return {"listen address", why.empty(), why.empty() ? address + " is free" : address + ": " + why + "; give another one with --listen"};
}

/// The one where others join, or the one to join.
finding check_nodes(const settings& with) {
  bool joins = !with.join_host.empty();
  auto host = joins ? with.join_host : with.cluster_host;
  auto port = joins ? with.join_port : with.cluster_port;
  auto address = host + ":" + std::to_string(port);
  if (!joins) {
    auto why = listening_fails(host, port);
    return {"other nodes", why.empty(), why.empty() ? address + " is free" : address + ": " + why + "; give another one with --cluster-listen"};
  }
  try {
    namespace asio = boost::asio;
    asio::io_context io;
    asio::ip::tcp::socket there{io};
    asio::connect(there, asio::ip::tcp::resolver{io}.resolve(host, std::to_string(port)));
    return {"other nodes", true, "somebody listens at " + address};
  } catch (const boost::system::system_error& e) {
    return {"other nodes", false, address + ": " + e.code().message() + "; is the node of --join running, with --cluster-listen?"};
  }
}

} // namespace

int run_doctor(const settings& with, bool json) {
  bool good = true;
  auto all = nlohmann::ordered_json::array();
  std::vector<finding (*)(const settings&)> checks;
  if (with.join_host.empty()) // else it keeps nothing, and makes nothing
    checks = {check_folder, check_space, check_stores, check_generator};
  checks.push_back(check_port);
  if (!with.join_host.empty() || !with.cluster_host.empty())
    checks.push_back(check_nodes);
  for (auto check : checks) {
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
