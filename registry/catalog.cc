#include "registry/catalog.h"

#include <algorithm>
#include <set>

#include "enm/distribution/integrity.h"
#include "registry/http.h"

namespace enm::registry {
namespace {

using distribution::Manifest;
using distribution::SignedManifest;

// FULL: a publish that was answered outlives a power cut.
constexpr const char* kSchema = R"(
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA foreign_keys = ON;
  CREATE TABLE IF NOT EXISTS models (
    id TEXT PRIMARY KEY, owner BLOB NOT NULL, newest TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS versions (
    id TEXT NOT NULL REFERENCES models, version TEXT NOT NULL, name TEXT NOT NULL,
    type TEXT NOT NULL, family TEXT NOT NULL, quantization TEXT NOT NULL, size INTEGER NOT NULL,
    key_id TEXT NOT NULL, published_at INTEGER NOT NULL, sha256 TEXT NOT NULL,
    manifest BLOB NOT NULL, signature BLOB NOT NULL, PRIMARY KEY (id, version));
  CREATE TABLE IF NOT EXISTS files (
    sha256 TEXT NOT NULL, id TEXT NOT NULL, version TEXT NOT NULL,
    PRIMARY KEY (sha256, id, version)) WITHOUT ROWID;
)";

std::string quantization_of(const Manifest& manifest) {
  const Json* optimization = manifest.json.find("optimization");
  if (optimization == nullptr) return "";
  const Json* value = optimization->find("quantization");
  return value != nullptr && value->is_string() ? value->string() : "";
}

}  // namespace

Result<std::unique_ptr<Catalog>> Catalog::open(const std::string& path) {
  ENM_ASSIGN_OR_RETURN(Database database, Database::open(path));
  const Status status = database.execute(kSchema);
  if (!status.ok()) return status.in(path);
  return std::unique_ptr<Catalog>(new Catalog(std::move(database)));
}

Result<std::vector<ModelRow>> Catalog::list(const ModelQuery& query) {
  const std::lock_guard lock(mutex_);
  ENM_ASSIGN_OR_RETURN(Statement rows, database_.prepare(R"(
      SELECT v.id, v.name, v.version, v.type, v.quantization, v.size
      FROM models m JOIN versions v ON v.id = m.id AND v.version = m.newest
      WHERE m.id > ?1 AND (?2 = '' OR v.type = ?2) AND (?3 = '' OR v.quantization = ?3)
        AND (?4 = '' OR v.family = ?4)
        AND (?5 = '' OR instr(lower(v.id), lower(?5)) OR instr(lower(v.name), lower(?5)))
      ORDER BY m.id LIMIT ?6)"));
  rows.bind(query.after).bind(query.type).bind(query.quantization).bind(query.family);
  rows.bind(query.text).bind(query.limit);
  std::vector<ModelRow> out;
  while (true) {
    ENM_ASSIGN_OR_RETURN(const bool row, rows.step());
    if (!row) return out;
    out.push_back({rows.text(0), rows.text(1), rows.text(2), rows.text(3), rows.text(4),
                   static_cast<uint64_t>(rows.number(5))});
  }
}

Result<std::string> Catalog::newest(const std::string& id) {
  ENM_ASSIGN_OR_RETURN(Statement row, database_.prepare("SELECT newest FROM models WHERE id = ?"));
  ENM_ASSIGN_OR_RETURN(const bool found, row.bind(id).step());
  if (!found) return NotFound("no model ", quoted(id));
  return row.text(0);
}

Result<StoredManifest> Catalog::manifest(const std::string& id, const std::string& version) {
  const std::lock_guard lock(mutex_);
  StoredManifest out{version, "", {}};
  if (version.empty()) {
    ENM_ASSIGN_OR_RETURN(out.version, newest(id));
  }
  ENM_ASSIGN_OR_RETURN(
      Statement row,
      database_.prepare(
          "SELECT sha256, manifest, signature FROM versions WHERE id = ? AND version = ?"));
  ENM_ASSIGN_OR_RETURN(const bool found, row.bind(id).bind(out.version).step());
  if (!found) return NotFound("no model ", quoted(cat(id, "@", out.version)));
  out.sha256 = row.text(0);
  out.bytes = {row.blob(1), row.blob(2)};
  return out;
}

Result<std::vector<VersionRow>> Catalog::versions(const std::string& id) {
  const std::lock_guard lock(mutex_);
  ENM_ASSIGN_OR_RETURN(
      Statement rows,
      database_.prepare("SELECT version, key_id, published_at, size FROM versions WHERE id = ?"));
  rows.bind(id);
  std::vector<VersionRow> out;
  while (true) {
    ENM_ASSIGN_OR_RETURN(const bool row, rows.step());
    if (!row) break;
    out.push_back(
        {rows.text(0), rows.text(1), rows.number(2), static_cast<uint64_t>(rows.number(3))});
  }
  if (out.empty()) return NotFound("no model ", quoted(id));
  std::ranges::sort(out, [](const VersionRow& a, const VersionRow& b) {
    return distribution::compare_versions(a.version, b.version) > 0;
  });
  return out;
}

// What stands against the publication; kPublished if nothing does.
Result<Publication> Catalog::check(const Manifest& manifest, std::string_view owner, Blobs& blobs,
                                   Publication publication) {
  using Outcome = Publication::Outcome;
  const auto outcome = [&](Outcome value) {
    publication.outcome = value;
    return publication;
  };
  ENM_ASSIGN_OR_RETURN(Statement model, database_.prepare("SELECT owner FROM models WHERE id = ?"));
  ENM_ASSIGN_OR_RETURN(const bool owned, model.bind(manifest.id).step());
  if (owned && model.blob(0) != owner) return outcome(Outcome::kNotOwner);
  ENM_ASSIGN_OR_RETURN(
      Statement version,
      database_.prepare("SELECT sha256 FROM versions WHERE id = ? AND version = ?"));
  ENM_ASSIGN_OR_RETURN(const bool exists, version.bind(manifest.id).bind(manifest.version).step());
  if (exists) {
    return outcome(version.text(0) == publication.sha256 ? Outcome::kExisted
                                                         : Outcome::kVersionExists);
  }
  std::set<std::string> missing;
  for (const auto& artifact : manifest.artifacts) {
    const std::string sha256 = distribution::to_hex(artifact.digest.sha256);
    const auto size = blobs.refresh(sha256);
    if (!size.ok() || *size != artifact.digest.size) missing.insert(sha256);
  }
  publication.missing.assign(missing.begin(), missing.end());
  return outcome(missing.empty() ? Outcome::kPublished : Outcome::kMissingBlobs);
}

Status Catalog::insert(const Manifest& manifest, const SignedManifest& bytes,
                       const std::string& owner, const std::string& key_id,
                       const std::string& sha256) {
  const auto before = newest(manifest.id);
  const bool is_newest =
      !before.ok() || distribution::compare_versions(manifest.version, *before) > 0;
  ENM_ASSIGN_OR_RETURN(Statement model, database_.prepare(R"(
      INSERT INTO models (id, owner, newest) VALUES (?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET newest = excluded.newest)"));
  model.bind(manifest.id).bind_blob(as_bytes(owner)).bind(is_newest ? manifest.version : *before);
  ENM_RETURN_IF_ERROR(model.run());
  ENM_ASSIGN_OR_RETURN(Statement version, database_.prepare(R"(
      INSERT INTO versions (id, version, name, type, family, quantization, size, key_id,
                            published_at, sha256, manifest, signature)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))"));
  version.bind(manifest.id).bind(manifest.version).bind(manifest.name).bind(manifest.type);
  version.bind(manifest.family).bind(quantization_of(manifest));
  version.bind(static_cast<int64_t>(manifest.total_size())).bind(key_id).bind(now_seconds());
  version.bind(sha256).bind_blob(as_bytes(bytes.manifest)).bind_blob(as_bytes(bytes.signature));
  ENM_RETURN_IF_ERROR(version.run());
  for (const auto& artifact : manifest.artifacts) {
    ENM_ASSIGN_OR_RETURN(
        Statement file,
        database_.prepare("INSERT OR IGNORE INTO files (sha256, id, version) VALUES (?, ?, ?)"));
    file.bind(distribution::to_hex(artifact.digest.sha256));
    ENM_RETURN_IF_ERROR(file.bind(manifest.id).bind(manifest.version).run());
  }
  return {};
}

Result<Publication> Catalog::publish(const Manifest& manifest, const SignedManifest& bytes,
                                     const distribution::PublicKey& key, Blobs& blobs) {
  const std::string owner(key.bytes.begin(), key.bytes.end());
  Publication publication{Publication::Outcome::kPublished,
                          distribution::to_hex(distribution::sha256(as_bytes(bytes.manifest))),
                          {}};
  const std::lock_guard lock(mutex_);
  ENM_ASSIGN_OR_RETURN(Transaction transaction, Transaction::begin(database_));
  ENM_ASSIGN_OR_RETURN(publication, check(manifest, owner, blobs, std::move(publication)));
  if (publication.outcome != Publication::Outcome::kPublished) return publication;
  ENM_RETURN_IF_ERROR(insert(manifest, bytes, owner, key.key_id, publication.sha256));
  ENM_RETURN_IF_ERROR(transaction.commit());
  return publication;
}

Result<bool> Catalog::references(const std::string& sha256) {
  const std::lock_guard lock(mutex_);
  ENM_ASSIGN_OR_RETURN(Statement row,
                       database_.prepare("SELECT 1 FROM files WHERE sha256 = ? LIMIT 1"));
  return row.bind(sha256).step();
}

}  // namespace enm::registry
