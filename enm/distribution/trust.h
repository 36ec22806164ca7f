// Whom to believe: a folder of public keys, one file <keyId>.pem each.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "enm/base/status.h"
#include "enm/distribution/keys.h"

namespace enm::distribution {

class TrustStore {
 public:
  /// Believes nobody, and keeps what it is told in memory only.
  TrustStore() = default;
  /// The keys in `folder`; a folder that is not there is an empty one. A file in it that is no
  /// public key, or whose name is not its key's id, is kCorrupt: silently believing fewer would
  /// mislead.
  static Result<TrustStore> open(const std::string& folder);

  const std::vector<PublicKey>& keys() const { return keys_; }
  const PublicKey* find(std::string_view key_id) const;

  /// kConflict if another key has that id: remove it first.
  Status trust(const PublicKey& key);
  /// kNotFound if there is none.
  Status remove(std::string_view key_id);

  /// The trusted key that signed `manifest`. kCorrupt or kUnsupported for a manifest.sig that is
  /// none, kUntrusted for an unknown signer or a signature that does not fit.
  Result<PublicKey> verify(std::string_view manifest, std::string_view signature) const;

 private:
  std::string path_of(std::string_view key_id) const { return cat(folder_, "/", key_id, ".pem"); }

  std::string folder_;  // empty: memory only
  std::vector<PublicKey> keys_;
};

}  // namespace enm::distribution
