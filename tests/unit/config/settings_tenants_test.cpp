// What a configuration file says of each tenant.
#define CAF_SUITE config.settings_tenants

#include "config/settings.hpp"

#include "tests/support/config_file.hpp"
#include "tests/support/test.hpp"

using namespace segue;

namespace {

/// What is said about tenants, without the name of the file.
std::string refusal_of_tenants(const std::string& text) {
  auto said = load(config_file{"{\"tenants\": " + text + "}"}.path(), {});
  return said.substr(said.find(".json: ") == std::string::npos ? 0 : said.find(".json: ") + 7);
}

} // namespace

CAF_TEST(without tenants there is one with the settings of the server) {
  auto x = load_settings("", {{"generator", "http://localhost/x"}});
  CAF_REQUIRE_EQUAL(x.tenants.size(), 1u);
  CAF_CHECK_EQUAL(x.tenants.at("default")->generator, "http://localhost/x");
}

CAF_TEST(a tenant has the settings of the server but for its own) {
  variable secret{"s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t"};
  config_file file{R"({"tenants": {"alpha": {"generator": "http://localhost/a", "transfer-workers": 7}, "beta-2": {},
                                   "gamma": {"jwt-secret": "${env:SEGUE_SETTINGS_TEST}", "policy": "keep"}},
                       "policy": "archive", "transfer-workers": 3})"};
  auto x = load_settings(file.path(), {{"transfer-workers", "5"}});
  CAF_REQUIRE_EQUAL(x.tenants.size(), 3u);
  auto tell = [&](const char* name) {
    const auto& t = *x.tenants.at(name);
    return t.generator + " " + std::to_string(t.transfer_workers) + (t.archive ? " archive " : " keep ") + t.jwt_secret;
  };
  CAF_CHECK_EQUAL(tell("alpha"), "http://localhost/a 7 archive ");
  CAF_CHECK_EQUAL(tell("beta-2"), "synth: 5 archive ");
  CAF_CHECK_EQUAL(tell("gamma"), "synth: 5 keep s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t");
  CAF_CHECK_EQUAL(x.generator + x.jwt_secret, "synth:");
  CAF_CHECK(x.tenants.at("gamma")->tenants.empty());
}

CAF_TEST(what is one for the whole server no tenant can have for itself) {
  for (const auto& row : setting_rows()) {
    auto said = refusal_of_tenants("{\"alpha\": {\"" + std::string{row.name} + "\": \"" + row.standard + "\"}}");
    CAF_CHECK_EQUAL(said, row.of_tenant ? "accepted"
        : "tenant alpha: " + std::string{row.name} + " is the same for all tenants; set it outside of them");
  }
}

CAF_TEST(tenants have names that fit into keys and paths) {
  for (const std::string& name : {std::string{"a"}, std::string{"0-a"}, std::string(40, 'a')})
    CAF_CHECK_EQUAL(refusal_of_tenants("{\"" + name + "\": {}}"), "accepted");
  for (const std::string& name : {std::string{}, std::string{"A"}, std::string{"a_b"}, std::string{"a/b"}, std::string{".."}, std::string{"a b"}, std::string(41, 'a')})
    CAF_CHECK_EQUAL(refusal_of_tenants("{\"" + name + "\": {}}"),
        "tenant " + name + ": its name must be 1 to 40 letters a-z, digits and hyphens");
}

CAF_TEST(tenants that cannot be read are refused) {
  for (const char* text : {"{}", "[]", "5", "\"alpha\"", "true", "null"})
    CAF_CHECK_EQUAL(refusal_of_tenants(text), "tenants must be an object with a member for each tenant");
  for (const char* text : {"[]", "5", "null", "\"rocksdb:\""})
    CAF_CHECK_EQUAL(refusal_of_tenants("{\"alpha\": " + std::string{text} + "}"), "tenant alpha must be an object of settings");
  CAF_CHECK_EQUAL(refusal_of_tenants(R"({"alpha": {"objects": null}})"),
      "tenant alpha: objects must be a string, a number, true or false");
  CAF_CHECK_EQUAL(refusal_of_tenants(R"({"alpha": {"tenants": {}}})"), "tenant alpha: there is no setting \"tenants\"; `segue serve --help` lists them");
  CAF_CHECK_EQUAL(refusal_of_tenants(R"({"alpha": {"foo": 1}})"), "tenant alpha: there is no setting \"foo\"; `segue serve --help` lists them");
  CAF_CHECK_EQUAL(refusal_of_tenants(R"({"alpha": {"policy": "keep", "policy": "archive"}})"), "tenant alpha: policy is there twice");
  CAF_CHECK_EQUAL(refusal_of_tenants(R"({"alpha": {}, "alpha": {}})"), "tenant alpha is there twice");
  CAF_CHECK_EQUAL(refusal_of_tenants(R"({"alpha": {"policy": "x"}})"), "tenant alpha: policy: \"x\" is not possible; it must be keep or archive");
  CAF_CHECK_EQUAL(load("", {{"tenants", "{}"}}), "there is no setting \"tenants\"; `segue serve --help` lists them");
}
