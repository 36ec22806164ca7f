// The manifest: what a published model is, file by file. manifest.json is its own RFC 8785
// canonical bytes, so that the signature over the bytes is one over the value; see
// docs/formats/manifest.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "enm/base/json.h"
#include "enm/base/status.h"
#include "enm/distribution/integrity.h"

namespace enm::distribution {

inline constexpr std::string_view kManifestFile = "manifest.json";
inline constexpr std::string_view kSignatureFile = "manifest.sig";

// Limits on what is read. A manifest spends 67 bytes on a chunk of 256 KiB.
inline constexpr uint64_t kMaxManifestBytes = 16 << 20;
inline constexpr uint64_t kMaxSignatureBytes = 4096;
inline constexpr size_t kMaxArtifacts = 1024;
inline constexpr uint64_t kMaxTotalBytes = uint64_t{1} << 40;

/// One file of a model.
struct Artifact {
  std::string name;      // its key in the manifest: "model", "tokenizer", ...
  std::string filename;  // relative to the model's folder
  FileDigest digest;
};

struct Manifest {
  std::string id;
  std::string name;
  std::string version;
  std::string type;    // "text-generation", "embedding", "vision"
  std::string family;  // "" if not said
  std::vector<Artifact> artifacts;
  Json json;  // all of it, fields unknown here included

  /// Sum of the artifacts' sizes, in bytes.
  uint64_t total_size() const;
  /// The artifact of that file name, or null.
  const Artifact* find_file(std::string_view filename) const;
};

/// manifest.json and manifest.sig as they are on disk and on the wire.
struct SignedManifest {
  std::string manifest;
  std::string signature;  // "" if there is none
};

/// Reads and checks the bytes of a manifest.json. kCorrupt names the field: bytes that are not
/// canonical, a missing or ill-typed field, names that leave the folder or collide, chunk lists
/// that do not fit the size, a Merkle root or CID that is not the chunk list's. kUnsupported for
/// another integrity profile, kResourceExhausted beyond the limits. The signature is not looked at
/// here.
Result<Manifest> parse_manifest(std::string_view bytes);

/// `[a-z0-9][a-z0-9._-]{0,127}`, kInvalidArgument otherwise.
Status check_model_id(std::string_view id);
/// `[0-9A-Za-z][0-9A-Za-z.+-]{0,63}`, kInvalidArgument otherwise.
Status check_version(std::string_view version);

/// A file's name in a model: relative, of plain letters, with no part that a system takes for
/// something else, at most 255 bytes, not the manifest's own. kCorrupt otherwise.
Status check_file_name(std::string_view filename);

/// Semantic versioning's precedence: negative, zero or positive as `a` is before, beside or after
/// `b`. Parts that are no numbers compare as text; build metadata behind '+' decides last, so that
/// two different versions are never equal.
int compare_versions(std::string_view a, std::string_view b);

/// "name" or "name@version".
struct ModelRef {
  std::string id;
  std::string version;  // "": the newest

  std::string text() const { return version.empty() ? id : cat(id, "@", version); }
};
Result<ModelRef> parse_model_ref(std::string_view text);

}  // namespace enm::distribution
