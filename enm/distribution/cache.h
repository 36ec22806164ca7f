// Models on this disk, by content:
//
//   blobs/<sha256>           whole and verified, read-only
//   partial/<sha256>         being fetched: a sparse file of verified chunks, locked by its fetcher
//   partial/<..>.chunks      what has come of a file whose chunks nobody told; see download.h
//   models/<id>/<version>/   manifest.json, manifest.sig and the files, hard links to blobs
//   names/<name>             symbolic links: other names of blobs and models, git-<blob id> and so
//   on tmp/                     folders on their way in or out of models/ lock shared by who adds,
//   exclusive for who removes
//
// A blob's link count says how many models use it. Everything becomes visible by one rename, so a
// process that dies leaves the old state or the new one, and several may work at once.
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "enm/base/os_file.h"
#include "enm/base/status.h"
#include "enm/distribution/chunk_source.h"
#include "enm/distribution/manifest.h"
#include "enm/distribution/retry.h"

namespace enm::distribution {

struct CachedModel {
  std::string id;
  std::string version;
  std::string folder;
  uint64_t bytes = 0;     // of its files; blobs that two models share count for both
  int64_t last_used = 0;  // seconds since 1970

  std::string text() const { return cat(id, "@", version); }
};

struct CacheUsage {
  uint64_t blob_bytes = 0;
  uint64_t partial_bytes = 0;
};

class Cache {
 public:
  /// The folder is made if it is not there.
  static Result<Cache> open(const std::string& folder);

  const std::string& folder() const { return folder_; }

  /// By id, then newest version first.
  std::vector<CachedModel> models() const;
  /// The newest version here when `ref` names none. kNotFound. Bytes are not looked at: see
  /// open_cached in pull.h.
  Result<CachedModel> find(const ModelRef& ref) const;
  /// Notes that a model was used now; eviction takes those first that were not for longest.
  void touch(const CachedModel& model) const;
  CacheUsage usage() const;

  /// Holds off those who remove. Held while files are added.
  Result<FileLock> lock_shared(const Stop& stop) const;

  /// A file on its way in: its partial, locked.
  struct Incoming {
    FileLock lock;
    const File& file() const { return lock.file(); }
  };
  /// The digest of the blob of that content if it is here and right, else its partial. Waits while
  /// another process fetches the same. A blob whose bytes were damaged lends the partial its good
  /// chunks.
  Result<std::variant<FileDigest, Incoming>> begin(const RemoteFile& file, const Stop& stop) const;
  /// Makes the partial a blob, if its bytes are those of `file`; kCorrupt otherwise, and all that
  /// was fetched of it is gone.
  Result<FileDigest> commit(const Incoming& incoming, const RemoteFile& file) const;

  /// Gives a blob or a model, `target` being its path within the cache, one more name.
  Status name(const std::string& name, const std::string& target) const;
  /// The path within the cache of what has that name; kNotFound if nothing has or it is gone.
  Result<std::string> named(const std::string& name) const;

  /// Makes a model of blobs visible, in place of one of the same name and version. It goes by `id`,
  /// which is the manifest's for what a registry published.
  Result<CachedModel> install(const SignedManifest& signed_manifest, const Manifest& manifest,
                              const std::string& id) const;

  /// Removes models for which `condemned` is true, then what no model uses, and partials if asked.
  /// kConflict while another process adds. Returns the bytes freed.
  Result<uint64_t> remove(const std::function<bool(const CachedModel&)>& condemned,
                          bool partials) const;
  /// Removes partials, then models not used for longest, until all is within `max_bytes`; never
  /// `keep`. kConflict while another process adds.
  Result<uint64_t> shrink(uint64_t max_bytes, const std::string& keep) const;

 private:
  explicit Cache(std::string folder) : folder_(std::move(folder)) {}
  std::string blob(const Digest& sha256) const { return cat(folder_, "/blobs/", to_hex(sha256)); }
  std::string blob_of(const RemoteFile& file) const;
  std::string model_folder(std::string_view id, std::string_view version) const {
    return cat(folder_, "/models/", id, "/", version);
  }
  Result<std::string> temporary_folder() const;
  Status link_files(const SignedManifest& signed_manifest, const Manifest& manifest,
                    const std::string& folder) const;
  Result<FileLock> lock_exclusive() const;
  Status drop(const CachedModel& model) const;
  uint64_t drop_unused() const;
  uint64_t drop_partials() const;

  std::string folder_;
};

}  // namespace enm::distribution
