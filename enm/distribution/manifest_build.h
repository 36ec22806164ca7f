// From a folder of files to the manifest that describes them.
#pragma once

#include <string>
#include <vector>

#include "enm/base/json.h"
#include "enm/base/status.h"
#include "enm/distribution/integrity.h"

namespace enm::distribution {

/// What the files do not say themselves.
struct ManifestFields {
  std::string id;
  std::string name;     // "": the id
  std::string version;  // semver
  std::string type;     // "text-generation", "embedding", "vision"
  std::string family;   // "": left out
  /// Further members of the manifest: architecture, optimization, requirements, benchmarks,
  /// license, homepage, publishedAt, publishedBy, ... Names that the builder writes itself are
  /// refused.
  std::vector<Json::Member> extra;
};

/// Names of the regular files in and below `folder`, sorted; hidden ones, manifest.json and
/// manifest.sig are left out.
Result<std::vector<std::string>> list_model_files(const std::string& folder);

/// The canonical bytes of the manifest.json of `filenames`, each relative to `folder`; every file
/// is read once. kInvalidArgument for a field or name that no manifest may have.
Result<std::string> build_manifest(const std::string& folder,
                                   const std::vector<std::string>& filenames,
                                   const ManifestFields& fields);

/// The same of files whose digests are known, by name.
Result<std::string> build_manifest(const std::vector<std::pair<std::string, FileDigest>>& files,
                                   const ManifestFields& fields);

}  // namespace enm::distribution
