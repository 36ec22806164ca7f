// Ed25519 keys in PEM: PKCS#8 for the private half, SubjectPublicKeyInfo for the public one, as
// OpenSSL writes and reads them. The key's name stands before the PEM block, where RFC 7468 allows
// text and every reader skips it:
//
//   Key-Id: ruvector-team
//   -----BEGIN PUBLIC KEY-----
//   ...
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "enm/base/bytes.h"
#include "enm/base/status.h"
#include "enm/distribution/integrity.h"

namespace enm::distribution {

using SignatureBytes = std::array<uint8_t, 64>;

/// Letters, digits, '.', '_' and '-', at most 64, the first a letter or digit: it names a file.
Status check_key_id(std::string_view key_id);

struct PublicKey {
  std::string key_id;
  std::array<uint8_t, 32> bytes{};  // RFC 8032

  bool operator==(const PublicKey&) const = default;

  /// Whether `signature` is this key's over `message`.
  bool verifies(Bytes message, const SignatureBytes& signature) const;
  /// SHA-256 of the SubjectPublicKeyInfo, as `openssl pkey -pubout -outform DER | sha256sum`
  /// prints.
  Digest fingerprint() const;
  std::string to_pem() const;
};

/// The private half. Moves, never copies; its bytes are wiped when it goes.
class PrivateKey {
 public:
  /// A new key from the system's random source.
  static Result<PrivateKey> generate(const std::string& key_id);
  PrivateKey(PrivateKey&& other) noexcept;
  PrivateKey& operator=(PrivateKey&& other) noexcept;
  ~PrivateKey();

  const PublicKey& public_key() const { return public_; }
  Result<SignatureBytes> sign(Bytes message) const;
  std::string to_pem() const;

 private:
  friend Result<PrivateKey> parse_private_key(std::string_view pem);
  PrivateKey() = default;
  static Result<PrivateKey> from_seed(const std::string& key_id, Bytes seed);

  std::array<uint8_t, 32> seed_{};
  PublicKey public_;
};

/// kCorrupt for text that is no PEM of an unencrypted Ed25519 private key. A key without a Key-Id
/// line is called by the first 16 hex digits of its fingerprint.
Result<PrivateKey> parse_private_key(std::string_view pem);

/// The public key of either PEM, public or private.
Result<PublicKey> parse_public_key(std::string_view pem);

/// Reads a PEM file; kInvalidArgument names the path when it is something else.
Result<PrivateKey> load_private_key(const std::string& path);
Result<PublicKey> load_public_key(const std::string& path);

/// Writes `path` (mode 0600) and its public half beside it: "K.pem" -> "K.pub.pem". Refuses to
/// overwrite either (kConflict). Returns the path of the public half.
Result<std::string> save_key_pair(const PrivateKey& key, const std::string& path);

}  // namespace enm::distribution
