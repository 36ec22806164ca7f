// A signed model to a registry; see docs/formats/registry-protocol.md.
#pragma once

#include <functional>
#include <string>

#include "enm/distribution/keys.h"
#include "enm/distribution/manifest.h"
#include "enm/net/http_client.h"

namespace enm::net {

struct PublishOptions {
  distribution::RetryPolicy retry;
  distribution::Stop stop;
  /// Bytes of the model that the registry has, the model's size, and bytes sent just now.
  std::function<void(uint64_t there, uint64_t total, uint64_t sent)> report;
};

struct Published {
  bool existed = false;  // exactly this was published before
  uint64_t sent = 0;     // bytes of files
};

/// Sends the files of `folder` that the registry lacks, then the manifest that names them: only
/// that last request makes the model visible. An interrupted publish goes on where it was when it
/// is repeated. kUntrusted if the id belongs to another key, kConflict if that version has other
/// bytes.
Result<Published> publish(HttpClient& client, std::string_view registry, const std::string& folder,
                          const distribution::SignedManifest& signed_manifest,
                          const distribution::PublicKey& key, const PublishOptions& options);

}  // namespace enm::net
