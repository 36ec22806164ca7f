#include "enm/distribution/git_blob.h"

#include <openssl/evp.h>

#include <array>
#include <memory>

namespace enm::distribution {

std::string git_blob_id(Bytes bytes) {
  const std::string head = cat("blob ", bytes.size(), '\0');
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  // What OpenSSL cannot do leaves zeros, which name nothing.
  std::array<uint8_t, 20> digest{};
  EVP_DigestInit_ex(context.get(), EVP_sha1(), nullptr);
  EVP_DigestUpdate(context.get(), head.data(), head.size());
  EVP_DigestUpdate(context.get(), bytes.data(), bytes.size());
  EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);
  return enm::to_hex(digest.data(), digest.size());
}

}  // namespace enm::distribution
