// manifest.sig: who signed the bytes of manifest.json. Its own canonical JSON:
//
//   {"algorithm":"Ed25519","keyId":"ruvector-team","signature":"<base64 of 64 bytes>"}
#pragma once

#include <string>
#include <string_view>

#include "enm/base/status.h"
#include "enm/distribution/keys.h"

namespace enm::distribution {

struct Signature {
  std::string key_id;
  SignatureBytes bytes{};

  std::string to_json() const;
};

/// kCorrupt unless `text` is exactly what to_json writes; kUnsupported for another algorithm.
Result<Signature> parse_signature(std::string_view text);

/// The text of manifest.sig for the bytes of a manifest.
Result<std::string> sign_manifest(std::string_view manifest, const PrivateKey& key);

}  // namespace enm::distribution
