// What was published: an SQLite database with the manifests, their signatures, and who owns which
// id. A publish is one transaction, so that it is seen whole or not at all.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "enm/distribution/keys.h"
#include "enm/distribution/manifest.h"
#include "registry/blobs.h"
#include "registry/sqlite.h"

namespace enm::registry {

struct ModelRow {
  std::string id;
  std::string name;
  std::string version;  // the newest
  std::string type;
  std::string quantization;  // "" if the manifest does not say
  uint64_t size = 0;
};

struct ModelQuery {
  std::string type;
  std::string quantization;
  std::string family;
  std::string text;   // in id or name, in any case
  std::string after;  // ids behind this one
  int64_t limit = 50;
};

struct VersionRow {
  std::string version;
  std::string key_id;
  int64_t published_at = 0;  // seconds since 1970
  uint64_t size = 0;
};

struct StoredManifest {
  std::string version;
  std::string sha256;  // of the manifest's bytes
  distribution::SignedManifest bytes;
};

struct Publication {
  enum class Outcome { kPublished, kExisted, kNotOwner, kVersionExists, kMissingBlobs };
  Outcome outcome;
  std::string sha256;                // of the manifest's bytes
  std::vector<std::string> missing;  // blobs
};

class Catalog {
 public:
  static Result<std::unique_ptr<Catalog>> open(const std::string& path);

  Result<std::vector<ModelRow>> list(const ModelQuery& query);
  /// The newest version's where `version` is empty. kNotFound.
  Result<StoredManifest> manifest(const std::string& id, const std::string& version);
  /// Newest first. kNotFound.
  Result<std::vector<VersionRow>> versions(const std::string& id);

  /// `key` has been found to verify the signature. The first key to publish an id owns it; a
  /// version is what it was published as for good; all blobs must be there.
  Result<Publication> publish(const distribution::Manifest& manifest,
                              const distribution::SignedManifest& bytes,
                              const distribution::PublicKey& key, Blobs& blobs);

  /// Whether a published model has that blob.
  Result<bool> references(const std::string& sha256);

 private:
  explicit Catalog(Database database) : database_(std::move(database)) {}

  // These expect the lock.
  Result<std::string> newest(const std::string& id);
  Result<Publication> check(const distribution::Manifest& manifest, std::string_view owner,
                            Blobs& blobs, Publication publication);
  Status insert(const distribution::Manifest& manifest, const distribution::SignedManifest& bytes,
                const std::string& owner, const std::string& key_id, const std::string& sha256);

  std::mutex mutex_;
  Database database_;
};

}  // namespace enm::registry
