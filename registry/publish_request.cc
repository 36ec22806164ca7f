#include "registry/publish_request.h"

#include <algorithm>

#include "enm/distribution/base64.h"
#include "enm/distribution/canonical.h"
#include "enm/distribution/signature.h"
#include "registry/blobs.h"

namespace enm::registry {
namespace {

constexpr JsonLimits kLimits{.max_bytes = 24 << 20, .max_depth = 8};

Result<std::vector<uint8_t>> get_base64(const Json& json, std::string_view key) {
  ENM_ASSIGN_OR_RETURN(const std::string text, json.get_string(key));
  auto bytes = distribution::from_base64(text);
  if (!bytes.ok()) return bytes.status().in(cat("key ", quoted(key)));
  return bytes;
}

}  // namespace

Result<PublishRequest> read_publish_request(std::string_view body) {
  ENM_ASSIGN_OR_RETURN(const Json json, Json::parse(body, kLimits));
  PublishRequest out;
  ENM_ASSIGN_OR_RETURN(const auto manifest, get_base64(json, "manifest"));
  out.bytes.manifest = as_text(manifest);
  ENM_ASSIGN_OR_RETURN(out.manifest, distribution::parse_manifest(out.bytes.manifest));
  ENM_ASSIGN_OR_RETURN(const auto key, get_base64(json, "publicKey"));
  if (key.size() != out.key.bytes.size()) {
    return Corrupt("key \"publicKey\": ", key.size(), " bytes; expected ", out.key.bytes.size());
  }
  std::copy(key.begin(), key.end(), out.key.bytes.begin());
  ENM_ASSIGN_OR_RETURN(const Json* signature_json, json.get("signature"));
  ENM_ASSIGN_OR_RETURN(out.bytes.signature, distribution::canonical(*signature_json));
  const auto signature = distribution::parse_signature(out.bytes.signature);
  if (!signature.ok()) return Untrusted(signature.status().message());
  out.key.key_id = signature->key_id;
  if (out.key.verifies(manifest, signature->bytes)) return out;
  return Untrusted("the signature is not that key's over the manifest");
}

Result<UploadRequest> read_upload_request(std::string_view body) {
  ENM_ASSIGN_OR_RETURN(const Json json, Json::parse(body, kLimits));
  UploadRequest out;
  ENM_ASSIGN_OR_RETURN(out.sha256, json.get_string("sha256"));
  ENM_ASSIGN_OR_RETURN(const int64_t size, json.get_int("size"));
  if (!is_sha256(out.sha256)) {
    return Corrupt("key \"sha256\": got ", quoted(out.sha256),
                   ", expected 64 lower-case hexadecimal digits");
  }
  if (size < 0) return Corrupt("key \"size\": got ", size, ", expected a number of bytes");
  out.size = static_cast<uint64_t>(size);
  return out;
}

}  // namespace enm::registry
