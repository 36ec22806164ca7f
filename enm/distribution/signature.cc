#include "enm/distribution/signature.h"

#include <algorithm>

#include "enm/distribution/base64.h"
#include "enm/distribution/canonical.h"

namespace enm::distribution {
namespace {

constexpr std::string_view kAlgorithm = "Ed25519";
constexpr JsonLimits kLimits{.max_bytes = 4096, .max_depth = 2};

Result<Signature> from_json(const Json& json) {
  ENM_ASSIGN_OR_RETURN(const std::string algorithm, json.get_string("algorithm"));
  if (algorithm != kAlgorithm) {
    return Unsupported("signature algorithm ", quoted(algorithm), "; expected ", kAlgorithm);
  }
  Signature signature;
  ENM_ASSIGN_OR_RETURN(signature.key_id, json.get_string("keyId"));
  ENM_RETURN_IF_ERROR(check_key_id(signature.key_id));
  ENM_ASSIGN_OR_RETURN(const std::string text, json.get_string("signature"));
  ENM_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, from_base64(text));
  if (bytes.size() != signature.bytes.size()) {
    return Corrupt("a signature of ", bytes.size(), " bytes; expected ", signature.bytes.size());
  }
  if (json.members().size() != 3) {
    return Corrupt(json.members().size(), " members; expected algorithm, keyId and signature");
  }
  std::copy(bytes.begin(), bytes.end(), signature.bytes.begin());
  return signature;
}

}  // namespace

std::string Signature::to_json() const {
  return cat(R"({"algorithm":")", kAlgorithm, R"(","keyId":")", key_id, R"(","signature":")",
             to_base64(bytes), R"("})");
}

Result<Signature> parse_signature(std::string_view text) {
  const Result<Json> json = parse_canonical(text, kLimits);
  if (!json.ok()) return json.status().in("[signature]");
  Result<Signature> signature = from_json(*json);
  if (!signature.ok()) return signature.status().in("[signature]");
  return signature;
}

Result<std::string> sign_manifest(std::string_view manifest, const PrivateKey& key) {
  Signature signature{key.public_key().key_id, {}};
  ENM_ASSIGN_OR_RETURN(signature.bytes, key.sign(as_bytes(manifest)));
  return signature.to_json();
}

}  // namespace enm::distribution
