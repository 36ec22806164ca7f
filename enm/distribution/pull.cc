#include "enm/distribution/pull.h"

#include <filesystem>

#include "enm/distribution/fetch.h"
#include "enm/distribution/folder_source.h"
#include "enm/distribution/verify.h"

namespace enm::distribution {
namespace {

struct Offer {
  SignedManifest bytes;
  Manifest manifest;
  std::string signed_by;
};

Result<std::string> signer(const SignedManifest& bytes, const ModelRef& ref,
                           const TrustPolicy& trust) {
  const auto key = trust.store.verify(bytes.manifest, bytes.signature);
  if (key.ok()) return key->key_id;
  if (trust.allow_untrusted) return std::string();
  return Status(key.status().code() == Code::kCorrupt ? Code::kCorrupt : Code::kUntrusted,
                cat(ref.text(), ": ", key.status().message()));
}

Result<Offer> get_offer(Source& source, const ModelRef& ref, const TrustPolicy& trust,
                        const PullOptions& options) {
  Offer offer;
  ENM_RETURN_IF_ERROR(retry(options.retry, options.stop, [&]() -> Status {
    ENM_ASSIGN_OR_RETURN(offer.bytes, source.manifest(ref));
    return Status();
  }));
  ENM_ASSIGN_OR_RETURN(offer.signed_by, signer(offer.bytes, ref, trust));
  auto manifest = parse_manifest(offer.bytes.manifest);
  if (!manifest.ok()) return manifest.status().in(cat("manifest from ", source.name()));
  offer.manifest = *std::move(manifest);
  const Manifest& got = offer.manifest;
  if (got.id != ref.id || (!ref.version.empty() && got.version != ref.version)) {
    return Corrupt(source.name(), " answered with ", got.id, "@", got.version, "; asked for ",
                   ref.text());
  }
  return offer;
}

// A source that hides a newer version hides what was mended in it.
Status check_rollback(const Cache& cache, const ModelRef& ref, const Manifest& offered,
                      const std::string& source) {
  const auto versions = list_versions(cache.folder() + "/models", ref.id);
  if (!ref.version.empty() || versions.empty()) return Status();
  if (compare_versions(offered.version, versions.front()) >= 0) return Status();
  return Untrusted(source, " offers ", ref.id, "@", offered.version, " as the newest; ",
                   versions.front(), " is in the cache already. Ask for ", ref.id, "@",
                   offered.version, " to have the older one");
}

Status check_room(const Manifest& manifest, uint64_t max_bytes) {
  const uint64_t size = manifest.total_size();
  if (size <= max_bytes) return Status();
  return ResourceExhausted(manifest.id, " has ", size, " bytes; the cache may have ", max_bytes,
                           " (setting cache.maxSize)");
}

}  // namespace

Result<Pulled> pull(Source& source, const ModelRef& ref, const Cache& cache,
                    const TrustPolicy& trust, const PullOptions& options) {
  ENM_ASSIGN_OR_RETURN(const Offer offer, get_offer(source, ref, trust, options));
  ENM_RETURN_IF_ERROR(check_rollback(cache, ref, offer.manifest, source.name()));
  ENM_RETURN_IF_ERROR(check_room(offer.manifest, options.max_bytes));
  Pulled out;
  out.signed_by = offer.signed_by;
  {
    ENM_ASSIGN_OR_RETURN(const FileLock lock, cache.lock_shared(options.stop));
    std::vector<RemoteFile> files;
    for (const Artifact& artifact : offer.manifest.artifacts) {
      files.push_back(remote_file(offer.manifest, artifact));
    }
    ENM_ASSIGN_OR_RETURN(const Fetched fetched, fetch_files(source, files, cache, options));
    out.fetched = fetched.bytes;
    ENM_ASSIGN_OR_RETURN(out.model, cache.install(offer.bytes, offer.manifest, ref.id));
  }
  ENM_RETURN_IF_ERROR(make_room(cache, options, out.model));
  return out;
}

Status make_room(const Cache& cache, const PullOptions& options, const CachedModel& keep) {
  if (!options.evict) return Status();
  const auto freed = cache.shrink(options.max_bytes, keep.folder);
  // Another process still adds; it will make the room when it is done.
  return freed.ok() || freed.status().code() == Code::kConflict ? Status() : freed.status();
}

Result<Pulled> open_cached(const Cache& cache, const ModelRef& ref, const TrustPolicy& trust) {
  ENM_ASSIGN_OR_RETURN(CachedModel model, cache.find(ref));
  auto report = verify_folder(model.folder, &trust.store);
  if (report.ok() && report->untrusted && trust.allow_untrusted) {
    report = verify_folder(model.folder, nullptr);
  }
  if (!report.ok()) return report.status();
  if (!report->ok()) {
    const std::string problem = cat(model.text(), ": ", join(report->problems, "; "));
    if (report->untrusted) return Untrusted(problem);
    return Corrupt(problem, ". Mend it: edge-net-models pull ", model.text());
  }
  cache.touch(model);
  return Pulled{std::move(model), report->signed_by, 0};
}

}  // namespace enm::distribution
