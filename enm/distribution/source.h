// Where published models come from: a registry, a folder, later a bucket, IPFS or a peer. It
// resolves references to signed manifests and gives the bytes of what they name. A source is
// believed in nothing: what it gives is held against signature and hashes by its caller.
#pragma once

#include "enm/distribution/chunk_source.h"
#include "enm/distribution/manifest.h"

namespace enm::distribution {

class Source : public ChunkSource {
 public:
  /// The manifest and its signature as they were published; the newest version's when `ref` names
  /// none.
  virtual Result<SignedManifest> manifest(const ModelRef& ref) = 0;
};

/// A manifest's file as sources know it; its path is <id>/<version>/<filename>.
RemoteFile remote_file(const Manifest& model, const Artifact& artifact);

}  // namespace enm::distribution
