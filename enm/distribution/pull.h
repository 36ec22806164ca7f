// From a source into the cache, and from the cache to who uses a model. Nothing passes that is not
// what a trusted key signed, unless the caller says that it may.
#pragma once

#include <string>

#include "enm/base/status.h"
#include "enm/distribution/cache.h"
#include "enm/distribution/download.h"
#include "enm/distribution/source.h"
#include "enm/distribution/trust.h"

namespace enm::distribution {

struct TrustPolicy {
  const TrustStore& store;
  bool allow_untrusted = false;
};

struct PullOptions : DownloadOptions {
  uint64_t max_bytes = UINT64_MAX;  // the cache's
  bool evict = true;                // make room by what was not used for longest
};

struct Pulled {
  CachedModel model;
  std::string signed_by;  // "" if the signer is not trusted
  uint64_t fetched = 0;   // bytes
};

/// Brings `ref` from `source` into `cache`; what is there already and right is not fetched again.
/// kUntrusted for a signer that is not trusted, or a source that offers as newest what is older
/// than a version here; kCorrupt for a manifest that is not of the model asked for, or bytes that
/// are not the manifest's; kResourceExhausted when cache or disk are too small.
Result<Pulled> pull(Source& source, const ModelRef& ref, const Cache& cache,
                    const TrustPolicy& trust, const PullOptions& options);

/// Keeps the cache within the options' size after a pull, if they want that.
Status make_room(const Cache& cache, const PullOptions& options, const CachedModel& keep);

/// A model of the cache, each byte held against its manifest and the manifest against `trust`.
/// kNotFound if it is not there; kCorrupt if pulling it again would mend it.
Result<Pulled> open_cached(const Cache& cache, const ModelRef& ref, const TrustPolicy& trust);

}  // namespace enm::distribution
