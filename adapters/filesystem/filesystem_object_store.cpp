#include "adapters/filesystem/filesystem_object_store.hpp"

#include "actors/ids.hpp"
#include "adapters/filesystem/file.hpp"
#include "adapters/object_rules.hpp"

#include <cerrno>
#include <cstdio>
#include <sys/stat.h>
#include <unistd.h>

namespace segue::filesystem {

namespace {

using std::filesystem::path;

constexpr std::chrono::hours longest_upload{24}; ///< without a new part; then it is taken for left behind
constexpr int most_attempts = 100;

std::string object_named(const std::string& key) { return "object \"" + key + "\""; }

constexpr const char* key_file = "key"; ///< in the folder of an upload: what it is for

/// A part that is put again gets another name, so that only what is named at the end counts.
std::string part_name(size_t number, const std::string& tag) { return std::to_string(number) + "." + tag; }

[[noreturn]] void no_such_upload(const std::string& key) {
  throw adapter_error{ec::not_found, "there is no such upload of " + object_named(key) + ": begin another one"};
}

[[noreturn]] void key_in_the_way(const std::string& key) {
  throw adapter_error{ec::invalid_argument,
      object_named(key) + " cannot be both an object and the folder of others: name one of them differently"};
}

} // namespace

path folder_of(const std::string& rest, const path& data) {
  if (rest.empty())
    return data / "objects";
  auto folder = path{rest.starts_with("///") ? rest.substr(2) : rest}.lexically_normal();
  if (!folder.is_absolute() || (rest.starts_with("//") && !rest.starts_with("///")))
    throw adapter_error{ec::invalid_argument,
        "\"file:" + rest + "\" is not possible; it must be \"file:\" or like \"file:/absolute/folder\""};
  return folder.has_filename() ? folder : folder.parent_path(); // without a slash at its end
}

filesystem_object_store::filesystem_object_store(options where)
    : options_(std::move(where)), uploads_(options_.folder / uploads_segment) {
  std::error_code error;
  std::filesystem::create_directories(uploads_, error);
  if (error)
    throw adapter_error{ec::unavailable, "creating the folder of objects, " + options_.folder.string() + ": " + error.message()};
  sync_folder(options_.folder);
  sync_folder(options_.folder.parent_path());
  new_file probe{new_path()}; // says at once whether anything can be written
  remove_left_overs();
}

void filesystem_object_store::remove_left_overs() const {
  std::error_code ignored; // they only take space
  for (const auto& entry : std::filesystem::directory_iterator{uploads_, ignored}) {
    auto changed = entry.last_write_time(ignored);
    if (!ignored && std::filesystem::file_time_type::clock::now() - changed > longest_upload)
      std::filesystem::remove_all(entry.path(), ignored);
  }
}

path filesystem_object_store::path_of(const std::string& key) const {
  check_object_key(key);
  return options_.folder / key;
}

path filesystem_object_store::new_path() const { return uploads_ / (new_uuid() + ".new"); }

void filesystem_object_store::check_space(uint64_t more) const {
  std::error_code error;
  auto space = std::filesystem::space(options_.folder, error);
  if (error)
    fail(error.value(), "looking for free space in " + options_.folder.string());
  if (space.available < options_.reserve_bytes || space.available - options_.reserve_bytes < more)
    throw adapter_error{ec::storage_full, "less free space for objects than the reserve of "
        + std::to_string(options_.reserve_bytes >> 20) + " MiB: make room in " + options_.folder.string()};
}

/// Gives a file its place, in one step and durably.
void filesystem_object_store::publish(new_file& whole, const path& target) const {
  whole.sync();
  auto key = target.lexically_relative(options_.folder).string();
  std::error_code error;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    std::filesystem::create_directories(target.parent_path(), error);
    if (!error && std::rename(whole.path().c_str(), target.c_str()) != 0)
      error.assign(errno, std::generic_category());
    bool empty_folder = error == std::errc::is_a_directory && ::rmdir(target.c_str()) == 0; // a crash has left it
    if (error != std::errc::no_such_file_or_directory && !empty_folder)
      break; // else an `erase` has just removed the folder
  }
  if (error == std::errc::not_a_directory || error == std::errc::is_a_directory || error == std::errc::directory_not_empty)
    key_in_the_way(key);
  if (error)
    fail(error.value(), "giving " + object_named(key) + " its place");
  whole.keep();
  // All of them, as another call may have created one and not synced it yet.
  for (auto folder = target.parent_path();; folder = folder.parent_path()) {
    sync_folder(folder);
    if (folder == options_.folder)
      return;
  }
}

void filesystem_object_store::put(const std::string& key, const std::string&, const payload& bytes) {
  auto target = path_of(key);
  check_space(bytes.size());
  new_file whole{new_path()};
  whole.write(bytes.view());
  publish(whole, target);
}

// -- uploads ------------------------------------------------------------------------------------------------------------

std::string filesystem_object_store::begin_upload(const std::string& key, const std::string&) {
  check_object_key(key);
  check_space(0);
  auto id = new_uuid();
  auto folder = uploads_ / id;
  if (::mkdir(folder.c_str(), 0755) != 0)
    fail(errno, "creating " + folder.string());
  new_file name{folder / key_file};
  name.write(key);
  name.sync();
  sync_folder(folder);
  sync_folder(uploads_);
  name.keep();
  return id;
}

bool filesystem_object_store::is_upload_of(const path& folder, const std::string& key) {
  try {
    old_file name{folder / key_file, "an upload of " + object_named(key)};
    return name.read(0, std::min<uint64_t>(name.size(), longest_object_key)) == key;
  } catch (const adapter_error& e) {
    if (e.code() != ec::not_found)
      throw;
    return false;
  }
}

/// Only ids of ours become part of a path.
path filesystem_object_store::find_upload(const std::string& key, const std::string& upload_id) const {
  check_object_key(key);
  if (!is_uuid(upload_id) || !is_upload_of(uploads_ / upload_id, key))
    no_such_upload(key);
  return uploads_ / upload_id;
}

std::string filesystem_object_store::put_part(
    const std::string& key, const std::string& upload_id, uint32_t number, const payload& bytes) {
  check_part_number(number);
  auto folder = find_upload(key, upload_id);
  check_space(bytes.size());
  auto tag = new_uuid();
  new_file part{folder / part_name(number, tag)};
  part.write(bytes.view());
  part.sync();
  sync_folder(folder);
  part.keep();
  return tag;
}

void filesystem_object_store::finish_upload(
    const std::string& key, const std::string& upload_id, const std::vector<std::string>& tags) {
  auto target = path_of(key);
  auto folder = find_upload(key, upload_id);
  check_part_number(tags.size());
  new_file whole{new_path()};
  for (size_t i = 0; i < tags.size(); ++i) {
    auto name = "part " + std::to_string(i + 1) + " of " + object_named(key);
    if (!is_uuid(tags[i]))
      throw adapter_error{ec::not_found, name + " has never been put"};
    old_file part{folder / part_name(i + 1, tags[i]), name};
    if (i + 1 < tags.size() && part.size() < least_part_bytes)
      throw adapter_error{ec::invalid_argument, name + " is smaller than 5 MiB"};
    check_space(part.size());
    whole.write(part);
  }
  publish(whole, target);
  std::error_code ignored; // it is removed some other day
  std::filesystem::remove_all(folder, ignored);
}

void filesystem_object_store::abort_uploads(const std::string& key) {
  check_object_key(key);
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator{uploads_, error}) {
    std::error_code ignored; // it may be finished, or thrown away, at this moment
    if (entry.is_directory(ignored) && is_upload_of(entry.path(), key))
      std::filesystem::remove_all(entry.path(), error);
  }
  if (error)
    fail(error.value(), "removing an upload of " + object_named(key));
}

// -- whole objects ------------------------------------------------------------------------------------------------------

object_bytes filesystem_object_store::read(const std::string& key, uint64_t from, uint64_t length) {
  old_file file{path_of(key), object_named(key)};
  auto size = file.size();
  auto there = from < size ? std::min(length, size - from) : 0;
  return {file.read(from, there), size};
}

void filesystem_object_store::erase(const std::string& key) {
  auto target = path_of(key);
  bool gone = ::unlink(target.c_str()) == 0 || errno == ENOENT || errno == ENOTDIR || errno == EISDIR;
  if (!gone)
    fail(errno, "removing " + object_named(key));
  auto folder = target.parent_path();
  while (folder != options_.folder && (::rmdir(folder.c_str()) == 0 || errno == ENOENT || errno == ENOTDIR))
    folder = folder.parent_path();
  sync_folder(folder);
}

} // namespace segue::filesystem
