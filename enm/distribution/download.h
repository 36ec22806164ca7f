// One file from a source, chunk by chunk, each verified as it comes.
#pragma once

#include <functional>

#include "enm/base/os_file.h"
#include "enm/base/status.h"
#include "enm/distribution/manifest.h"
#include "enm/distribution/retry.h"
#include "enm/distribution/source.h"

namespace enm::distribution {

struct DownloadOptions {
  int parallel = 4;  // chunks on their way at a time: what a kill can waste
  RetryPolicy retry;
  Stop stop;
  /// Told after each chunk, by one thread at a time: verified bytes of this file, and how many of
  /// them were fetched just now rather than found.
  std::function<void(uint64_t verified, uint64_t fetched)> report;
};

/// Makes `partial` the whole file. Bytes are written only after their chunk's digest was found
/// right; what `partial` holds already is hashed and kept where it is right, so the file itself is
/// the state from which an interrupted download goes on. kCorrupt if the source keeps sending
/// wrong bytes, else the source's error.
Status download(Source& source, const Manifest& model, const Artifact& artifact,
                const File& partial, const DownloadOptions& options);

}  // namespace enm::distribution
