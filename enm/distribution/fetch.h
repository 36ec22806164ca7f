// Files from a chunk source into the cache, whichever resolver named them.
#pragma once

#include <vector>

#include "enm/base/status.h"
#include "enm/distribution/cache.h"
#include "enm/distribution/chunk_source.h"
#include "enm/distribution/download.h"

namespace enm::distribution {

struct Fetched {
  std::vector<FileDigest> digests;  // in the order of the files
  uint64_t bytes = 0;               // that came from the source just now
};

/// Makes each file a blob of `cache`, whose shared lock the caller holds. What is there already and
/// right is not fetched again; what an interrupted fetch left is gone on from. The report is of all
/// files together. kCorrupt if the bytes are not what the file's hash says, else the source's
/// error.
Result<Fetched> fetch_files(ChunkSource& source, const std::vector<RemoteFile>& files,
                            const Cache& cache, const DownloadOptions& options);

}  // namespace enm::distribution
