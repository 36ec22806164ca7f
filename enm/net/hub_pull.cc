#include "enm/net/hub_pull.h"

#include "enm/base/file_posix.h"
#include "enm/distribution/fetch.h"
#include "enm/distribution/manifest_build.h"
#include "enm/distribution/verify.h"
#include "enm/net/http_source.h"

namespace enm::net {
namespace {

using distribution::Cache;
using distribution::CachedModel;
using distribution::ModelRef;
using distribution::RemoteFile;

std::string hash_of(std::string_view text) {
  return distribution::to_hex(distribution::sha256(as_bytes(text)));
}

// The cache's name of what `ref` was when it was pulled last.
std::string cache_name(const std::string& endpoint, const HubRef& ref) {
  return "hub-" + hash_of(cat(endpoint, "\n", ref.repository, "\n", ref.revision, "\n", ref.file));
}

// One commit gives several models: by endpoint, since none vouches for another, and by file.
std::string version_of(const std::string& commit, const std::string& endpoint, const HubRef& ref) {
  return cat(commit, "-", hash_of(cat(endpoint, "\n", ref.file)).substr(0, 16));
}

Result<std::string> manifest_of(const std::vector<RemoteFile>& files,
                                const std::vector<distribution::FileDigest>& digests,
                                const std::string& version, const HubRef& ref) {
  distribution::ManifestFields fields;
  fields.id = "hub-" + hash_of(ref.repository).substr(0, 16);
  fields.name = ref.text();
  fields.version = version;
  fields.type = "checkpoint";
  std::vector<std::pair<std::string, distribution::FileDigest>> named;
  for (size_t i = 0; i < files.size(); ++i) named.emplace_back(files[i].name, digests[i]);
  return distribution::build_manifest(named, fields);
}

Status check_room(const std::vector<RemoteFile>& files, const HubRef& ref, uint64_t max_bytes) {
  uint64_t size = 0;  // of at most 50,000 files of 2^40 bytes
  for (const RemoteFile& file : files) size += file.size;
  if (size <= max_bytes) return Status();
  return ResourceExhausted(ref.text(), " has ", size, " bytes; the cache may have ", max_bytes,
                           " (setting cache.maxSize)");
}

Result<std::string> model_file(const CachedModel& model, const HubRef& ref) {
  ENM_ASSIGN_OR_RETURN(const auto names, distribution::list_model_files(model.folder));
  return hub_model_file(names, ref);
}

}  // namespace

Result<HubModel> pull_hub(Hub& hub, const HubRef& ref, const Cache& cache,
                          const distribution::PullOptions& options) {
  HubListing listing;
  ENM_RETURN_IF_ERROR(distribution::retry(options.retry, options.stop, [&]() -> Status {
    ENM_ASSIGN_OR_RETURN(listing, hub.resolve(ref));
    return Status();
  }));
  ENM_ASSIGN_OR_RETURN(const std::vector<RemoteFile> files, choose_hub_files(listing, ref));
  ENM_RETURN_IF_ERROR(check_room(files, ref, options.max_bytes));
  const std::string version = version_of(listing.commit, hub.name(), ref);
  HubModel out;
  {
    ENM_ASSIGN_OR_RETURN(const FileLock lock, cache.lock_shared(options.stop));
    ENM_ASSIGN_OR_RETURN(const auto fetched, distribution::fetch_files(hub, files, cache, options));
    out.fetched = fetched.bytes;
    distribution::SignedManifest bytes;
    ENM_ASSIGN_OR_RETURN(bytes.manifest, manifest_of(files, fetched.digests, version, ref));
    ENM_ASSIGN_OR_RETURN(const auto manifest, distribution::parse_manifest(bytes.manifest));
    ENM_ASSIGN_OR_RETURN(out.model, cache.install(bytes, manifest, hub_cache_id(ref.repository)));
    ENM_RETURN_IF_ERROR(cache.name(cache_name(hub.name(), ref),
                                   cat("models/", out.model.id, "/", out.model.version)));
  }
  ENM_RETURN_IF_ERROR(distribution::make_room(cache, options, out.model));
  ENM_ASSIGN_OR_RETURN(out.file, model_file(out.model, ref));
  return out;
}

Result<CachedModel> find_cached_hub(const Cache& cache, const std::string& endpoint,
                                    const HubRef& ref) {
  ENM_ASSIGN_OR_RETURN(const std::string place,
                       cache.named(cache_name(without_slash(endpoint), ref)));
  return cache.find({hub_cache_id(ref.repository), place.substr(place.rfind('/') + 1)});
}

Result<HubModel> open_cached_hub(const Cache& cache, const std::string& endpoint,
                                 const HubRef& ref) {
  ENM_ASSIGN_OR_RETURN(CachedModel model, find_cached_hub(cache, endpoint, ref));
  ENM_ASSIGN_OR_RETURN(const auto report, distribution::verify_folder(model.folder, nullptr));
  if (!report.ok()) return Corrupt(ref.text(), ": ", join(report.problems, "; "));
  cache.touch(model);
  ENM_ASSIGN_OR_RETURN(std::string file, model_file(model, ref));
  return HubModel{std::move(model), std::move(file)};
}

}  // namespace enm::net
