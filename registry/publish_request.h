// The bodies that clients send: foreign bytes.
#pragma once

#include <string>
#include <string_view>

#include "enm/distribution/keys.h"
#include "enm/distribution/manifest.h"

namespace enm::registry {

struct PublishRequest {
  distribution::SignedManifest bytes;
  distribution::Manifest manifest;
  distribution::PublicKey key;
};

/// {"manifest": base64, "signature": {...}, "publicKey": base64}. kCorrupt for what is no such
/// thing or holds no manifest; kUntrusted if the signature is not that key's over those bytes.
Result<PublishRequest> read_publish_request(std::string_view body);

struct UploadRequest {
  std::string sha256;
  uint64_t size = 0;
};

/// {"sha256": hex, "size": bytes}
Result<UploadRequest> read_upload_request(std::string_view body);

}  // namespace enm::registry
