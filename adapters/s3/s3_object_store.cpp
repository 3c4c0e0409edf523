#include "adapters/s3/s3_object_store.hpp"

#include "actors/log.hpp"
#include "adapters/object_rules.hpp"
#include "adapters/s3/digest.hpp"
#include "adapters/s3/refusal.hpp"

#include <charconv>
#include <pugixml.hpp>
#include <sstream>

namespace segue::s3 {

namespace {

constexpr uint64_t farthest = uint64_t{1} << 62; ///< no object is so large, and some stores misread larger numbers
constexpr int most_listings = 10;                ///< a list that goes on naming what was thrown away is not current
constexpr uint64_t longest_listing = 1 << 20;    ///< a thousand uploads
constexpr int finishing_factor = 12;             ///< Amazon says that it may take minutes
constexpr const char* check_key = "segue-check"; ///< need not be there

std::string object_named(const std::string& key) { return "object \"" + key + "\""; }

/// Whatever is not unreserved becomes %XX, as the signature demands.
std::string encoded(const std::string& text) {
  std::string out;
  for (unsigned char c : text) {
    bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'
        || c == '.' || c == '~';
    constexpr const char* digits = "0123456789ABCDEF";
    out += unreserved ? std::string{static_cast<char>(c)} : std::string{'%', digits[c >> 4], digits[c & 15]};
  }
  return out;
}

std::string type_header(const std::string& content_type) {
  for (unsigned char c : content_type)
    if (c < ' ' || c > '~')
      throw adapter_error{ec::invalid_argument, "the content type of an object consists of printable characters"};
  return "Content-Type: " + (content_type.empty() ? "application/octet-stream" : content_type);
}

[[noreturn]] void no_such_upload(const std::string& key) {
  throw adapter_error{ec::not_found, "there is no such upload of " + object_named(key) + ": begin another one"};
}

/// An empty id is not sent: stores would take the call for one to the object itself.
void check_upload(const std::string& key, const std::string& upload_id) {
  check_object_key(key);
  if (upload_id.empty())
    no_such_upload(key);
}

/// The MD5 of what the store has kept, or nothing where it does not say: encrypted objects have other tags.
std::string md5_in(const answer& x) {
  auto tag = x.header("etag");
  bool encrypted = !x.header("x-amz-server-side-encryption-customer-algorithm").empty()
      || x.header("x-amz-server-side-encryption").starts_with("aws:");
  bool md5 = tag.size() == 34 && tag.front() == '"' && tag.find_first_not_of("0123456789abcdef", 1) == 33;
  return md5 && !encrypted ? tag.substr(1, 32) : "";
}

/// What a `Content-Range: bytes 3-9/25` says.
struct content_range {
  uint64_t first = 0;
  uint64_t last = 0;
  uint64_t size = 0;
};

std::optional<content_range> read_range(std::string_view text) {
  content_range x;
  for (auto [before, number] : {std::pair{"bytes ", &x.first}, {"-", &x.last}, {"/", &x.size}}) {
    if (!text.starts_with(before))
      return std::nullopt;
    text.remove_prefix(std::string_view{before}.size());
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
    if (error != std::errc{})
      return std::nullopt;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
  }
  return text.empty() ? std::optional{x} : std::nullopt;
}

std::string list_of(const std::vector<std::string>& tags) {
  pugi::xml_document document;
  auto list = document.append_child("CompleteMultipartUpload");
  list.append_attribute("xmlns") = "http://s3.amazonaws.com/doc/2006-03-01/";
  for (size_t i = 0; i < tags.size(); ++i) {
    auto part = list.append_child("Part");
    part.append_child("PartNumber").text() = static_cast<unsigned>(i + 1);
    part.append_child("ETag").text() = tags[i].c_str();
  }
  std::ostringstream out;
  document.save(out, "", pugi::format_raw);
  return std::move(out).str();
}

/// The root of the answer's XML if it has this name, else an empty node.
pugi::xml_node root_of(pugi::xml_document& document, const answer& x, const char* name) {
  return document.load_buffer(x.body.data(), x.body.size()) ? document.child(name) : pugi::xml_node{};
}

} // namespace

s3_object_store::s3_object_store(const options& where)
    : client_(parse_address(where.url), where.patience), finishing_(where.patience * finishing_factor) {
  probe();
}

void s3_object_store::probe() {
  try {
    uploads_of(check_key); // a credential that may not do so would fail when the first piece is removed
    read(check_key, 0, 1);
  } catch (const adapter_error& e) {
    if (e.code() == ec::invalid_argument)
      throw;
    if (e.code() != ec::not_found)
      log::warning("objects", "store_away", std::string{e.what()} + "; it may come later");
  }
}

void s3_object_store::fail(const request& what, const std::string& why) const {
  throw adapter_error{ec::unavailable, what.doing + " in " + client_.where().shown + ": " + why};
}

/// Sends them and returns their tag.
std::string s3_object_store::send_bytes(request what, const payload& bytes) {
  what.method = "PUT";
  what.body = bytes.view();
  auto x = client_.send(what);
  if (x.status != 200)
    refuse(client_.where(), what.doing, x);
  auto kept = md5_in(x);
  auto sent = kept.empty() ? "" : md5_of(bytes.view());
  if (!kept.empty() && !sent.empty() && kept != sent)
    fail(what, "the store has kept other bytes than were sent, their MD5 is " + kept + " instead of " + sent);
  return x.header("etag");
}

void s3_object_store::put(const std::string& key, const std::string& content_type, const payload& bytes) {
  check_object_key(key);
  request what{"writing " + object_named(key)};
  what.key = key;
  what.headers = {type_header(content_type)};
  send_bytes(std::move(what), bytes);
}

// -- uploads ------------------------------------------------------------------------------------------------------------

std::string s3_object_store::begin_upload(const std::string& key, const std::string& content_type) {
  check_object_key(key);
  request what{"beginning an upload of " + object_named(key), "POST", key, "uploads=", {type_header(content_type)}};
  auto x = client_.send(what);
  if (x.status != 200)
    refuse(client_.where(), what.doing, x);
  pugi::xml_document document;
  std::string id = root_of(document, x, "InitiateMultipartUploadResult").child_value("UploadId");
  if (id.empty())
    fail(what, "the answer names no upload");
  return id;
}

std::string s3_object_store::put_part(
    const std::string& key, const std::string& upload_id, uint32_t number, const payload& bytes) {
  check_upload(key, upload_id);
  check_part_number(number);
  request what{"writing part " + std::to_string(number) + " of " + object_named(key)};
  what.key = key;
  what.query = "partNumber=" + std::to_string(number) + "&uploadId=" + encoded(upload_id);
  what.headers = {type_header({})};
  auto tag = send_bytes(what, bytes);
  if (tag.empty())
    fail(what, "the answer has no ETag");
  return tag;
}

void s3_object_store::finish_upload(
    const std::string& key, const std::string& upload_id, const std::vector<std::string>& tags) {
  check_upload(key, upload_id);
  check_part_number(tags.size());
  auto list = list_of(tags);
  request what{"finishing the upload of " + object_named(key), "POST", key, "uploadId=" + encoded(upload_id)};
  what.headers = {"Content-Type: application/xml"};
  what.body = list;
  what.patience = finishing_;
  auto x = client_.send(what);
  if (x.status >= 500)
    insist_on_upload(key, upload_id);
  if (x.status != 200 || !error_code(x).empty()) // the status is sent before it is known what becomes of it
    refuse(client_.where(), what.doing, x);
  pugi::xml_document document;
  if (!root_of(document, x, "CompleteMultipartUploadResult"))
    fail(what, "the answer does not say whether the object is there");
}

/// Ceph calls the end of an upload that it does not know a fault of its own, which would be tried again for ever.
void s3_object_store::insist_on_upload(const std::string& key, const std::string& upload_id) {
  request what{"looking for the upload of " + object_named(key), "GET", key, "max-parts=1&uploadId=" + encoded(upload_id)};
  auto error = error_code(client_.send(what));
  if (error == "NoSuchUpload" || error == "NoSuchKey")
    no_such_upload(key);
}

/// Some of them, or none. Keys that only begin like this one come after it.
std::vector<std::string> s3_object_store::uploads_of(const std::string& key) {
  const auto& where = client_.where();
  request what{"looking for uploads of " + object_named(key), "GET", {}, "prefix=" + encoded(where.prefix + key) + "&uploads="};
  what.expected = longest_listing;
  auto x = client_.send(what);
  if (x.status != 200)
    refuse(where, what.doing, x);
  pugi::xml_document document;
  auto list = root_of(document, x, "ListMultipartUploadsResult");
  if (!list)
    fail(what, "the answer does not say which there are");
  std::vector<std::string> ids;
  for (auto upload : list.children("Upload"))
    if (where.prefix + key == upload.child_value("Key"))
      ids.emplace_back(upload.child_value("UploadId"));
  return ids;
}

void s3_object_store::abort_uploads(const std::string& key) {
  check_object_key(key);
  auto ids = uploads_of(key);
  for (int i = 0; i < most_listings && !ids.empty(); ++i, ids = uploads_of(key))
    for (const auto& id : ids)
      abort_upload(key, id);
}

void s3_object_store::abort_upload(const std::string& key, const std::string& upload_id) {
  request what{"throwing away the upload of " + object_named(key), "DELETE", key, "uploadId=" + encoded(upload_id)};
  auto x = client_.send(what);
  if (x.status / 100 != 2 && error_code(x) != "NoSuchUpload")
    refuse(client_.where(), what.doing, x);
}

// -- whole objects ------------------------------------------------------------------------------------------------------

object_bytes s3_object_store::read(const std::string& key, uint64_t from, uint64_t length) {
  check_object_key(key);
  bool none = length == 0 || from >= farthest; // then one byte is asked for, to know the size
  auto first = none ? 0 : from;
  auto last = none ? 0 : from + std::min(length, farthest) - 1;
  request what{"reading " + object_named(key), "GET", key};
  what.headers = {"Range: bytes=" + std::to_string(first) + "-" + std::to_string(last)};
  what.expected = last - first + 1;
  auto x = client_.send(what);
  if (x.status == 416)
    return {{}, size_of(key)};
  if (x.status != 200 && x.status != 206)
    refuse(client_.where(), what.doing, x);
  auto got = x.body.size();
  auto bytes = none ? payload{} : payload{std::move(x.body)};
  if (x.status == 200 && first == 0 && got <= what.expected && x.header("content-length") == std::to_string(got))
    return {bytes, got}; // some say so of a range that is the whole object
  auto range = read_range(x.header("content-range"));
  if (x.status == 200 || !range || range->first != first || range->last > last || range->last + 1 - first != got)
    fail(what, "the store has sent another range than it was asked for");
  if (range->last < last && range->last + 1 != range->size)
    fail(what, "the store has sent less than it was asked for");
  return {bytes, range->size};
}

/// Asked for when there is nothing to read, so that the answer does not tell.
uint64_t s3_object_store::size_of(const std::string& key) {
  request what{"asking for the size of " + object_named(key), "HEAD", key};
  auto x = client_.send(what);
  if (x.status == 404)
    throw adapter_error{ec::not_found, what.doing + ": it has just been removed"};
  if (x.status != 200)
    refuse(client_.where(), what.doing, x);
  uint64_t size = 0;
  auto text = x.header("content-length");
  if (std::from_chars(text.data(), text.data() + text.size(), size).ec != std::errc{})
    fail(what, "the answer names no size");
  return size;
}

void s3_object_store::erase(const std::string& key) {
  check_object_key(key);
  request what{"removing " + object_named(key), "DELETE", key};
  auto x = client_.send(what);
  if (x.status / 100 != 2 && error_code(x) != "NoSuchKey")
    refuse(client_.where(), what.doing, x);
}

} // namespace segue::s3
