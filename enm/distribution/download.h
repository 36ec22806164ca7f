// One file from a source, chunk by chunk, each held against its digest as it comes.
#pragma once

#include <functional>
#include <string>

#include "enm/base/os_file.h"
#include "enm/base/status.h"
#include "enm/distribution/chunk_source.h"
#include "enm/distribution/retry.h"

namespace enm::distribution {

struct DownloadOptions {
  int parallel = 4;  // chunks on their way at a time: what a kill can waste
  RetryPolicy retry;
  Stop stop;
  /// Told after each chunk, by one thread at a time: bytes that are here, of how many, and how many
  /// were fetched just now rather than found.
  std::function<void(uint64_t here, uint64_t total, uint64_t fetched)> report;
};

/// Makes `partial` as long and as full as `file`. Bytes are written only after their chunk's digest
/// was found right; what `partial` holds already is hashed and kept where it is right, so the file
/// itself is the state from which an interrupted download goes on. Where the resolver knows no
/// chunks, digests of what came are noted in chunk_notes() instead: they say what is here, and only
/// the whole's hash says whether it is right. kCorrupt if the source keeps sending wrong bytes,
/// else the source's error.
Status download(ChunkSource& source, const RemoteFile& file, const File& partial,
                const DownloadOptions& options);

/// The file beside a partial with the digest of chunk i at 32 i, zeros where it has not come.
std::string chunk_notes(const std::string& partial);

}  // namespace enm::distribution
