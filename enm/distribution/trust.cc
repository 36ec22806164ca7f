#include "enm/distribution/trust.h"

#include <algorithm>
#include <filesystem>

#include "enm/base/file_posix.h"
#include "enm/distribution/signature.h"

namespace enm::distribution {

Result<TrustStore> TrustStore::open(const std::string& folder) {
  TrustStore store;
  store.folder_ = folder;
  std::error_code error;
  std::filesystem::directory_iterator files(folder, error);
  if (error == std::errc::no_such_file_or_directory) return store;
  for (; !error && files != std::filesystem::directory_iterator(); files.increment(error)) {
    const std::filesystem::path& path = files->path();
    if (path.extension() != ".pem") continue;
    ENM_ASSIGN_OR_RETURN(PublicKey key, load_public_key(path.string()));
    if (path.stem() != key.key_id) {
      return Corrupt("[trust] ", path.string(), " holds key ", enm::quoted(key.key_id),
                     "; remove the file and trust the key again");
    }
    store.keys_.push_back(std::move(key));
  }
  if (error) return IoError("cannot list ", folder, ": ", error.message());
  std::sort(store.keys_.begin(), store.keys_.end(),
            [](const PublicKey& a, const PublicKey& b) { return a.key_id < b.key_id; });
  return store;
}

const PublicKey* TrustStore::find(std::string_view key_id) const {
  for (const PublicKey& key : keys_) {
    if (key.key_id == key_id) return &key;
  }
  return nullptr;
}

Status TrustStore::trust(const PublicKey& key) {
  ENM_RETURN_IF_ERROR(check_key_id(key.key_id));
  if (const PublicKey* known = find(key.key_id)) {
    if (*known == key) return Status();
    return Conflict("[trust] another key is trusted as ", enm::quoted(key.key_id), " (fingerprint ",
                    to_hex(known->fingerprint()), ", the new one has ", to_hex(key.fingerprint()),
                    "); remove it first if the change is meant");
  }
  if (!folder_.empty()) {
    std::error_code error;
    std::filesystem::create_directories(folder_, error);
    ENM_RETURN_IF_ERROR(write_file_atomically(path_of(key.key_id), as_bytes(key.to_pem())));
  }
  keys_.push_back(key);
  return Status();
}

Status TrustStore::remove(std::string_view key_id) {
  const PublicKey* known = find(key_id);
  if (known == nullptr) return NotFound("[trust] no trusted key ", enm::quoted(key_id));
  if (!folder_.empty()) {
    std::error_code error;
    std::filesystem::remove(path_of(key_id), error);
    if (error) return IoError("cannot remove ", path_of(key_id), ": ", error.message());
  }
  keys_.erase(keys_.begin() + (known - keys_.data()));
  return Status();
}

Result<PublicKey> TrustStore::verify(std::string_view manifest, std::string_view signature) const {
  ENM_ASSIGN_OR_RETURN(const Signature parsed, parse_signature(signature));
  const PublicKey* key = find(parsed.key_id);
  if (key == nullptr) {
    return Untrusted(
        "signed by ", enm::quoted(parsed.key_id),
        ", who is not trusted; get the signer's public key from where you trust it and "
        "run: edge-net-models keys trust KEY.pem");
  }
  if (!key->verifies(as_bytes(manifest), parsed.bytes)) {
    return Untrusted(
        "the signature by ", enm::quoted(parsed.key_id),
        " does not fit the manifest's bytes: one of the two was changed, or another key "
        "of that name made it (trusted fingerprint ",
        to_hex(key->fingerprint()), ")");
  }
  return *key;
}

}  // namespace enm::distribution
