#include "enm/distribution/pull.h"

#include <filesystem>

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

Status fetch(Source& source, const Manifest& manifest, const Artifact& artifact, const Cache& cache,
             const DownloadOptions& options) {
  ENM_ASSIGN_OR_RETURN(const auto incoming, cache.begin(artifact.digest, options.stop));
  if (!incoming) {
    options.report(artifact.digest.size, 0);
    return Status();
  }
  ENM_RETURN_IF_ERROR(download(source, manifest, artifact, incoming->file(), options));
  return cache.commit(*incoming, artifact.digest).in(artifact.filename);
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
    uint64_t before = 0;
    DownloadOptions each{options.parallel, options.retry, options.stop, nullptr};
    for (const Artifact& artifact : offer.manifest.artifacts) {
      uint64_t fetched_here = 0;
      each.report = [&](uint64_t verified, uint64_t fetched) {
        fetched_here = fetched;
        if (options.report) {
          options.report(before + verified, offer.manifest.total_size(), out.fetched + fetched);
        }
      };
      ENM_RETURN_IF_ERROR(fetch(source, offer.manifest, artifact, cache, each));
      before += artifact.digest.size;
      out.fetched += fetched_here;
    }
    ENM_ASSIGN_OR_RETURN(out.model, cache.install(offer.bytes, offer.manifest));
  }
  if (options.evict) {
    const auto freed = cache.shrink(options.max_bytes, out.model.folder);
    // Another process still adds; it will make the room when it is done.
    if (!freed.ok() && freed.status().code() != Code::kConflict) return freed.status();
  }
  return out;
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
