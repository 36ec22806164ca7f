// Where published models come from: a registry, a folder, later a bucket, IPFS or a peer. A source
// is believed in nothing: what it gives is held against signature and hashes by its caller.
#pragma once

#include <string>

#include "enm/base/bytes.h"
#include "enm/base/status.h"
#include "enm/distribution/manifest.h"

namespace enm::distribution {

/// Errors are kUnavailable where trying again may help, kNotFound where the source has no such
/// thing. Methods may be called from several threads at once.
class Source {
 public:
  virtual ~Source() = default;

  /// A URL or a folder, for messages.
  virtual const std::string& name() const = 0;

  /// The manifest and its signature as they were published; the newest version's when `ref` names
  /// none.
  virtual Result<SignedManifest> manifest(const ModelRef& ref) = 0;

  /// Fills `out` with the bytes from `offset` on of a file of that model. The range lies within the
  /// size that the manifest says.
  virtual Status read(const Manifest& model, const Artifact& file, uint64_t offset,
                      MutableBytes out) = 0;
};

}  // namespace enm::distribution
