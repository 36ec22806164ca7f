#include "enm/distribution/cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "enm/base/file_posix.h"
#include "enm/distribution/download.h"
#include "enm/distribution/folder_source.h"
#include "enm/distribution/git_blob.h"

namespace enm::distribution {
namespace {

namespace fs = std::filesystem;

// Disk that the file takes; a partial is mostly hole.
uint64_t allocated(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 ? static_cast<uint64_t>(info.st_blocks) * 512 : 0;
}

uint64_t file_size(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
}

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

uint64_t bytes_below(const std::string& folder) {
  uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    if (entry.is_regular_file(error)) bytes += file_size(entry.path().string());
  }
  return bytes;
}

Status rename_to(const std::string& from, const std::string& to) {
  return ::rename(from.c_str(), to.c_str()) == 0 ? Status() : system_error("rename to", to, errno);
}

// Puts `fresh` where `place` is. The two change names in one step, so that `place` is never
// missing; a file system that cannot do that gets two.
Status replace_folder(const std::string& fresh, const std::string& place) {
  if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, place.c_str(), RENAME_EXCHANGE) == 0) {
    return Status();
  }
  if (errno != ENOENT) {
    const std::string old = fresh + ".old";
    ENM_RETURN_IF_ERROR(rename_to(place, old));
  }
  return rename_to(fresh, place);
}

// With its notes. What is not there any more is gone already.
void drop_partial(const std::string& path) {
  ::unlink(path.c_str());
  ::unlink(chunk_notes(path).c_str());
}

constexpr std::chrono::milliseconds kLockPoll{50};

// flock wakes no sleeper on Ctrl-C of ours, so waiting is polling.
Result<FileLock> wait_for(const std::string& path, FileLock::Mode mode, const Stop& stop) {
  while (true) {
    auto lock = FileLock::try_take(path, mode);
    if (lock.ok() || lock.status().code() != Code::kConflict) return lock;
    if (stop && stop()) return Cancelled("interrupted while waiting for ", path);
    std::this_thread::sleep_for(kLockPoll);
  }
}

// The digest of the file at `path`; kCorrupt if its bytes are not those of `file`.
Result<FileDigest> hash_as(const std::string& path, const RemoteFile& file) {
  ENM_ASSIGN_OR_RETURN(FileDigest got, hash_file(path));
  const bool fits = got.size == file.size && (file.chunks.empty() || got.chunks == file.chunks);
  std::string hex = to_hex(got.sha256);
  if (file.hash.kind == ContentHash::Kind::kGitBlob) {
    ENM_ASSIGN_OR_RETURN(const Blob bytes, map_file(path));
    hex = git_blob_id(bytes.bytes());
  }
  if (fits && hex == file.hash.hex) return got;
  return Corrupt("the bytes that came are ", got.size, " with hash ", hex, "; expected ", file.size,
                 " with ", file.hash.hex);
}

}  // namespace

Result<Cache> Cache::open(const std::string& folder) {
  for (const char* part : {"blobs", "partial", "models", "names", "tmp"}) {
    ENM_RETURN_IF_ERROR(make_folders(cat(folder, "/", part)));
  }
  return Cache(folder);
}

std::vector<CachedModel> Cache::models() const {
  std::vector<CachedModel> out;
  const std::string root = folder_ + "/models";
  for (const fs::path& path : entries(root)) {
    const std::string id = path.filename().string();
    for (const std::string& version : list_versions(root, id)) {
      CachedModel model{id, version, model_folder(id, version)};
      model.bytes = bytes_below(model.folder);
      struct stat info;
      if (::stat(model.folder.c_str(), &info) == 0) model.last_used = info.st_mtime;
      out.push_back(std::move(model));
    }
  }
  return out;
}

Result<CachedModel> Cache::find(const ModelRef& ref) const {
  for (CachedModel& model : models()) {
    if (model.id == ref.id && (ref.version.empty() || model.version == ref.version)) return model;
  }
  return NotFound("no model ", enm::quoted(ref.text()), " in the cache ", folder_);
}

void Cache::touch(const CachedModel& model) const {
  ::utimensat(AT_FDCWD, model.folder.c_str(), nullptr, 0);
}

CacheUsage Cache::usage() const {
  CacheUsage usage;
  for (const fs::path& path : entries(folder_ + "/blobs")) {
    usage.blob_bytes += file_size(path.string());
  }
  for (const fs::path& path : entries(folder_ + "/partial")) {
    usage.partial_bytes += allocated(path.string());
  }
  return usage;
}

Result<FileLock> Cache::lock_shared(const Stop& stop) const {
  return wait_for(folder_ + "/lock", FileLock::Mode::kShared, stop);
}

Result<FileLock> Cache::lock_exclusive() const {
  auto lock = FileLock::try_take(folder_ + "/lock", FileLock::Mode::kExclusive);
  if (lock.status().code() != Code::kConflict) return lock;
  return Conflict("another process is adding to the cache ", folder_,
                  "; try again when it is done");
}

std::string Cache::blob_of(const RemoteFile& file) const {
  if (file.hash.kind == ContentHash::Kind::kSha256) return cat(folder_, "/blobs/", file.hash.hex);
  const auto target = named(file.hash.key());
  return target.ok() ? cat(folder_, "/", *target) : std::string();
}

Result<std::variant<FileDigest, Cache::Incoming>> Cache::begin(const RemoteFile& file,
                                                               const Stop& stop) const {
  while (true) {
    if (auto here = hash_as(blob_of(file), file); here.ok()) return *std::move(here);
    ENM_ASSIGN_OR_RETURN(FileLock lock, wait_for(cat(folder_, "/partial/", file.hash.key()),
                                                 FileLock::Mode::kExclusive, stop));
    // While we waited another may have finished, and renamed the file that we locked, or left us
    // to make an empty one where it was.
    if (!lock.in_place()) continue;
    const std::string blob_path = blob_of(file);
    if (auto here = hash_as(blob_path, file); here.ok()) {
      drop_partial(lock.file().path());
      return *std::move(here);
    }
    ENM_ASSIGN_OR_RETURN(const uint64_t size, lock.file().size());
    std::error_code error;
    if (size == 0 && fs::exists(blob_path, error)) {
      fs::copy_file(blob_path, lock.file().path(), fs::copy_options::overwrite_existing, error);
      ENM_RETURN_IF_ERROR(lock.file().chmod(0644));  // the copy took the blob's mode, too
    }
    return Incoming{std::move(lock)};
  }
}

Result<FileDigest> Cache::commit(const Incoming& incoming, const RemoteFile& file) const {
  const File& partial = incoming.file();
  ENM_RETURN_IF_ERROR(partial.sync());
  auto digest = hash_as(partial.path(), file);
  if (digest.status().code() == Code::kCorrupt) drop_partial(partial.path());
  if (!digest.ok()) return digest.status();
  ENM_RETURN_IF_ERROR(partial.chmod(0444));
  const std::string place = cat("blobs/", to_hex(digest->sha256));
  const std::string blob_path = cat(folder_, "/", place);
  // Of content that goes by another hash the blob may be here all the same, and in use.
  if (!hash_as(blob_path, file).ok()) ENM_RETURN_IF_ERROR(rename_to(partial.path(), blob_path));
  drop_partial(partial.path());
  ENM_RETURN_IF_ERROR(sync_folder(folder_ + "/blobs"));
  if (file.hash.key() != file.hash.hex) ENM_RETURN_IF_ERROR(name(file.hash.key(), place));
  return digest;
}

Status Cache::name(const std::string& name, const std::string& target) const {
  ENM_ASSIGN_OR_RETURN(const std::string fresh, temporary_folder());
  const std::string link = fresh + "/link";
  Status status = ::symlink(cat("../", target).c_str(), link.c_str()) == 0
                      ? rename_to(link, cat(folder_, "/names/", name))
                      : system_error("link", link, errno);
  std::error_code error;
  fs::remove_all(fresh, error);
  return status;
}

Result<std::string> Cache::named(const std::string& name) const {
  const std::string link = cat(folder_, "/names/", name);
  std::error_code error;
  const std::string target = fs::read_symlink(link, error).string();
  if (target.starts_with("../") && fs::exists(link, error)) return target.substr(3);
  return NotFound("nothing named ", enm::quoted(name), " in the cache ", folder_);
}

Result<std::string> Cache::temporary_folder() const {
  std::string path = folder_ + "/tmp/XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return system_error("make folder", path, errno);
  ::chmod(path.c_str(), 0755);
  return path;
}

Status Cache::link_files(const SignedManifest& signed_manifest, const Manifest& manifest,
                         const std::string& folder) const {
  for (const Artifact& artifact : manifest.artifacts) {
    const std::string path = cat(folder, "/", artifact.filename);
    ENM_RETURN_IF_ERROR(make_folders(fs::path(path).parent_path().string()));
    if (::link(blob(artifact.digest.sha256).c_str(), path.c_str()) != 0) {
      return system_error("link", path, errno);
    }
  }
  ENM_RETURN_IF_ERROR(
      write_file_atomically(cat(folder, "/", kManifestFile), as_bytes(signed_manifest.manifest)));
  if (signed_manifest.signature.empty()) return sync_folder(folder);
  ENM_RETURN_IF_ERROR(
      write_file_atomically(cat(folder, "/", kSignatureFile), as_bytes(signed_manifest.signature)));
  return sync_folder(folder);
}

Result<CachedModel> Cache::install(const SignedManifest& signed_manifest, const Manifest& manifest,
                                   const std::string& id) const {
  const std::string place = model_folder(id, manifest.version);
  ENM_RETURN_IF_ERROR(make_folders(fs::path(place).parent_path().string()));
  ENM_ASSIGN_OR_RETURN(const std::string fresh, temporary_folder());
  Status status = link_files(signed_manifest, manifest, fresh);
  if (status.ok()) status = replace_folder(fresh, place);
  std::error_code error;
  fs::remove_all(fresh, error);
  fs::remove_all(fresh + ".old", error);
  ENM_RETURN_IF_ERROR(status);
  ENM_RETURN_IF_ERROR(sync_folder(fs::path(place).parent_path().string()));
  return find(ModelRef{id, manifest.version});
}

// Out of sight by one rename, then gone.
Status Cache::drop(const CachedModel& model) const {
  ENM_ASSIGN_OR_RETURN(const std::string away, temporary_folder());
  ENM_RETURN_IF_ERROR(rename_to(model.folder, away));
  std::error_code error;
  fs::remove_all(away, error);
  fs::remove(fs::path(model.folder).parent_path(), error);  // stays while it has other versions
  return Status();
}

uint64_t Cache::drop_unused() const {
  uint64_t freed = 0;
  std::error_code error;
  for (const fs::path& path : entries(folder_ + "/tmp")) fs::remove_all(path, error);
  for (const fs::path& path : entries(folder_ + "/blobs")) {
    if (fs::hard_link_count(path, error) > 1) continue;
    freed += file_size(path.string());
    fs::remove(path, error);
  }
  for (const fs::path& path : entries(folder_ + "/names")) {
    if (!fs::exists(path, error)) fs::remove(path, error);
  }
  return freed;
}

uint64_t Cache::drop_partials() const {
  uint64_t freed = 0;
  std::error_code error;
  for (const fs::path& path : entries(folder_ + "/partial")) {
    freed += allocated(path.string());
    fs::remove(path, error);
  }
  return freed;
}

Result<uint64_t> Cache::remove(const std::function<bool(const CachedModel&)>& condemned,
                               bool partials) const {
  ENM_ASSIGN_OR_RETURN(const FileLock lock, lock_exclusive());
  for (const CachedModel& model : models()) {
    if (condemned(model)) ENM_RETURN_IF_ERROR(drop(model));
  }
  return drop_unused() + (partials ? drop_partials() : 0);
}

Result<uint64_t> Cache::shrink(uint64_t max_bytes, const std::string& keep) const {
  ENM_ASSIGN_OR_RETURN(const FileLock lock, lock_exclusive());
  const auto over = [&] {
    const CacheUsage now = usage();
    return now.blob_bytes + now.partial_bytes > max_bytes;
  };
  if (!over()) return 0;
  uint64_t freed = drop_unused() + drop_partials();
  std::vector<CachedModel> oldest = models();
  std::stable_sort(oldest.begin(), oldest.end(), [](const CachedModel& a, const CachedModel& b) {
    return a.last_used < b.last_used;
  });
  for (const CachedModel& model : oldest) {
    if (model.folder == keep) continue;
    if (!over()) break;
    ENM_RETURN_IF_ERROR(drop(model));
    freed += drop_unused();
  }
  return freed;
}

}  // namespace enm::distribution
