// From a hub into the cache, and from the cache to who uses a model of a hub. A hub signs nothing:
// what is trusted is the endpoint, for the hashes that it tells.
#pragma once

#include "enm/distribution/pull.h"
#include "enm/net/hub.h"

namespace enm::net {

struct HubModel {
  distribution::CachedModel model;
  std::string file;      // the model within its folder; "" for a folder that says it itself
  uint64_t fetched = 0;  // bytes
};

/// Brings what `ref` is now into the cache: only the files that are needed, each held against the
/// hub's hash, with a manifest of them that nobody signed. kResourceExhausted when cache or disk
/// are too small; errors of Hub::resolve, choose_hub_files and fetch_files.
Result<HubModel> pull_hub(Hub& hub, const HubRef& ref, const distribution::Cache& cache,
                          const distribution::PullOptions& options);

/// What pull_hub brought last for `ref` from that endpoint, if it is still here; its bytes are not
/// looked at. kNotFound.
Result<distribution::CachedModel> find_cached_hub(const distribution::Cache& cache,
                                                  const std::string& endpoint, const HubRef& ref);

/// What pull_hub brought last for `ref` from that endpoint, each byte held against the manifest;
/// nobody is asked whether the revision moved since. kNotFound, kCorrupt.
Result<HubModel> open_cached_hub(const distribution::Cache& cache, const std::string& endpoint,
                                 const HubRef& ref);

}  // namespace enm::net
