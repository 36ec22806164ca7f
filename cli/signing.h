// Signing a model's folder: what `sign` and `publish` share.
#pragma once

#include <string>

#include "cli/context.h"
#include "cli/model_argument.h"
#include "enm/distribution/keys.h"
#include "enm/distribution/manifest.h"
#include "enm/distribution/manifest_build.h"

namespace cli {

/// Where optimize notes in a file's metadata what it did, for the manifest: a JSON object with the
/// names that a manifest's "optimization" has.
inline constexpr std::string_view kOptimizationKey = "edge-net-models.optimization";

/// `path`, or the settings' signing key where it is empty. kNotFound says how to make one.
enm::Result<enm::distribution::PrivateKey> load_signing_key(const std::string& path,
                                                            const Context& context);

/// Hashes the folder's files and writes manifest.json and manifest.sig beside them. An empty id
/// becomes the folder's name, an empty version 1.0.0, an empty type what the graph is made for.
enm::Result<enm::distribution::SignedManifest> sign_model(const ModelArgument& model,
                                                          enm::distribution::ManifestFields fields,
                                                          const enm::distribution::PrivateKey& key);

}  // namespace cli
