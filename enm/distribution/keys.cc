#include "enm/distribution/keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <filesystem>
#include <memory>

#include "enm/base/file_posix.h"

namespace enm::distribution {
namespace {

constexpr uint64_t kMaxPemBytes = 64 << 10;
constexpr std::string_view kKeyIdLabel = "Key-Id: ";

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Pkey = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;

Pkey private_pkey(const std::array<uint8_t, 32>& seed) {
  return Pkey(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
}

Pkey public_pkey(const std::array<uint8_t, 32>& bytes) {
  return Pkey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes.data(), bytes.size()));
}

std::string bio_text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

/// Called where OpenSSL would ask the terminal for a passphrase.
int no_passphrase(char*, int, int, void*) { return -1; }

/// The name on the Key-Id line before the PEM block, or nothing.
std::string_view key_id_line(std::string_view pem) {
  const std::string_view preamble = pem.substr(0, pem.find("-----BEGIN"));
  for (std::string_view line : split(preamble, '\n')) {
    if (!line.starts_with(kKeyIdLabel)) continue;
    line.remove_prefix(kKeyIdLabel.size());
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    return line;
  }
  return {};
}

Status name_key(PublicKey& key, std::string_view key_id) {
  if (key_id.empty()) {
    key.key_id = to_hex(key.fingerprint()).substr(0, 16);
    return Status();
  }
  ENM_RETURN_IF_ERROR(check_key_id(key_id));
  key.key_id = std::string(key_id);
  return Status();
}

Status check_type(const EVP_PKEY* key) {
  if (EVP_PKEY_get_id(key) == EVP_PKEY_ED25519) return Status();
  const char* type = EVP_PKEY_get0_type_name(key);
  return Corrupt("[keys] a key of type ", type != nullptr ? type : "unknown", "; expected Ed25519");
}

}  // namespace

Status check_key_id(std::string_view key_id) {
  const auto alphanumeric = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  bool good = !key_id.empty() && key_id.size() <= 64 && alphanumeric(key_id.front());
  for (char c : key_id) good = good && (alphanumeric(c) || c == '.' || c == '_' || c == '-');
  if (good) return Status();
  return InvalidArgument("[keys] key id ", quoted(key_id),
                         "; expected at most 64 letters, digits, '.', '_' and '-', "
                         "the first a letter or digit");
}

bool PublicKey::verifies(Bytes message, const SignatureBytes& signature) const {
  const Pkey key = public_pkey(bytes);
  const DigestContext context(EVP_MD_CTX_new());
  return key && context &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

Digest PublicKey::fingerprint() const {
  const Pkey key = public_pkey(bytes);
  unsigned char* der = nullptr;
  const int size = key ? i2d_PUBKEY(key.get(), &der) : 0;
  const Digest digest = sha256({der, static_cast<size_t>(size > 0 ? size : 0)});
  OPENSSL_free(der);
  return digest;
}

std::string PublicKey::to_pem() const {
  const Pkey key = public_pkey(bytes);
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PUBKEY(bio.get(), key.get());
  return cat(kKeyIdLabel, key_id, "\n", bio_text(bio.get()));
}

PrivateKey::PrivateKey(PrivateKey&& other) noexcept
    : seed_(other.seed_), public_(std::move(other.public_)) {
  OPENSSL_cleanse(other.seed_.data(), other.seed_.size());
}

PrivateKey& PrivateKey::operator=(PrivateKey&& other) noexcept {
  std::swap(seed_, other.seed_);
  std::swap(public_, other.public_);
  return *this;
}

PrivateKey::~PrivateKey() { OPENSSL_cleanse(seed_.data(), seed_.size()); }

Result<PrivateKey> PrivateKey::from_seed(const std::string& key_id, Bytes seed) {
  PrivateKey key;
  std::copy(seed.begin(), seed.end(), key.seed_.begin());
  const Pkey pkey = private_pkey(key.seed_);
  size_t size = key.public_.bytes.size();
  if (!pkey || EVP_PKEY_get_raw_public_key(pkey.get(), key.public_.bytes.data(), &size) != 1) {
    return Internal("[keys] OpenSSL makes no Ed25519 key");
  }
  ENM_RETURN_IF_ERROR(name_key(key.public_, key_id));
  return key;
}

Result<PrivateKey> PrivateKey::generate(const std::string& key_id) {
  ENM_RETURN_IF_ERROR(check_key_id(key_id));
  std::array<uint8_t, 32> seed;
  if (RAND_priv_bytes(seed.data(), static_cast<int>(seed.size())) != 1) {
    return Internal("[keys] the system gives no random bytes");
  }
  Result<PrivateKey> key = from_seed(key_id, seed);
  OPENSSL_cleanse(seed.data(), seed.size());
  return key;
}

Result<SignatureBytes> PrivateKey::sign(Bytes message) const {
  const Pkey key = private_pkey(seed_);
  const DigestContext context(EVP_MD_CTX_new());
  SignatureBytes signature{};
  size_t size = signature.size();
  if (!key || !context ||
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) != 1) {
    return Internal("[keys] OpenSSL makes no Ed25519 signature");
  }
  return signature;
}

std::string PrivateKey::to_pem() const {
  const Pkey key = private_pkey(seed_);
  const Bio bio(BIO_new(BIO_s_secmem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return cat(kKeyIdLabel, public_.key_id, "\n", bio_text(bio.get()));
}

Result<PrivateKey> parse_private_key(std::string_view pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const Pkey pkey(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (!pkey) {
    return Corrupt("[keys] no PEM of an unencrypted private key; expected BEGIN PRIVATE KEY");
  }
  ENM_RETURN_IF_ERROR(check_type(pkey.get()));
  std::array<uint8_t, 32> seed;
  size_t size = seed.size();
  if (EVP_PKEY_get_raw_private_key(pkey.get(), seed.data(), &size) != 1 || size != seed.size()) {
    return Corrupt("[keys] the private key has no seed of 32 bytes");
  }
  Result<PrivateKey> key = PrivateKey::from_seed(std::string(key_id_line(pem)), seed);
  OPENSSL_cleanse(seed.data(), seed.size());
  return key;
}

Result<PublicKey> parse_public_key(std::string_view pem) {
  if (pem.find("PRIVATE KEY-----") != std::string_view::npos) {
    ENM_ASSIGN_OR_RETURN(const PrivateKey key, parse_private_key(pem));
    return key.public_key();
  }
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const Pkey pkey(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr));
  if (!pkey) return Corrupt("[keys] no PEM of a key; expected BEGIN PUBLIC KEY or PRIVATE KEY");
  ENM_RETURN_IF_ERROR(check_type(pkey.get()));
  PublicKey key;
  size_t size = key.bytes.size();
  if (EVP_PKEY_get_raw_public_key(pkey.get(), key.bytes.data(), &size) != 1) {
    return Corrupt("[keys] the public key has no 32 bytes");
  }
  ENM_RETURN_IF_ERROR(name_key(key, key_id_line(pem)));
  return key;
}

Result<PrivateKey> load_private_key(const std::string& path) {
  ENM_ASSIGN_OR_RETURN(std::vector<uint8_t> pem, read_file(path, kMaxPemBytes));
  Result<PrivateKey> key = parse_private_key(as_text(pem));
  OPENSSL_cleanse(pem.data(), pem.size());
  if (!key.ok()) return key.status().in(path);
  return key;
}

Result<PublicKey> load_public_key(const std::string& path) {
  ENM_ASSIGN_OR_RETURN(std::vector<uint8_t> pem, read_file(path, kMaxPemBytes));
  Result<PublicKey> key = parse_public_key(as_text(pem));
  OPENSSL_cleanse(pem.data(), pem.size());
  if (!key.ok()) return key.status().in(path);
  return key;
}

Result<std::string> save_key_pair(const PrivateKey& key, const std::string& path) {
  const std::string stem = path.ends_with(".pem") ? path.substr(0, path.size() - 4) : path;
  std::string public_path = stem + ".pub.pem";
  std::error_code error;
  for (const std::string& taken : {path, public_path}) {
    if (std::filesystem::exists(taken, error)) {
      return Conflict("[keys] ", taken, " is there already and is not overwritten");
    }
  }
  ENM_RETURN_IF_ERROR(write_file_atomically(path, as_bytes(key.to_pem()), 0600));
  ENM_RETURN_IF_ERROR(
      write_file_atomically(public_path, as_bytes(key.public_key().to_pem()), 0644));
  return public_path;
}

}  // namespace enm::distribution
