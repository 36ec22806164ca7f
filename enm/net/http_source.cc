#include "enm/net/http_source.h"

#include "enm/net/http_range.h"

namespace enm::net {

using distribution::Manifest;
using distribution::ModelRef;
using distribution::RemoteFile;
using distribution::SignedManifest;

std::string without_slash(std::string_view url) {
  while (url.ends_with('/')) url.remove_suffix(1);
  return std::string(url);
}

HttpSource::HttpSource(const HttpOptions& options, std::string_view registry)
    : client_(options), registry_(without_slash(registry)) {}

Result<std::string> HttpSource::get(const std::string& path, uint64_t max_bytes,
                                    std::string_view what) {
  HttpRequest request;
  request.url = registry_ + path;
  request.max_answer = max_bytes;
  ENM_ASSIGN_OR_RETURN(const HttpAnswer answer, client_.send(request));
  if (answer.status != 200) return error_of(answer, cat(registry_, ": ", what));
  return std::string(as_text(answer.body));
}

Result<SignedManifest> HttpSource::manifest(const ModelRef& ref) {
  ENM_RETURN_IF_ERROR(distribution::check_model_id(ref.id));
  const std::string base = "/v1/models/" + url_escape(ref.id);
  const std::string query = ref.version.empty() ? "" : "?version=" + url_escape(ref.version);
  SignedManifest out;
  ENM_ASSIGN_OR_RETURN(out.manifest,
                       get(base + query, distribution::kMaxManifestBytes, ref.text()));
  // The signature of that very version: another may be published between the two requests.
  ENM_ASSIGN_OR_RETURN(const Manifest manifest, distribution::parse_manifest(out.manifest));
  auto signature = get(cat(base, "/signature?version=", url_escape(manifest.version)),
                       distribution::kMaxSignatureBytes, ref.text());
  if (signature.ok()) {
    out.signature = *std::move(signature);
  } else if (signature.status().code() != Code::kNotFound) {
    return signature.status();
  }
  return out;
}

Status HttpSource::read(const RemoteFile& file, uint64_t offset, MutableBytes out) {
  if (out.empty()) return Status();
  HttpRequest request;
  request.url = cat(registry_, "/v1/blobs/", file.hash.hex);
  ask_for_range(request, offset, out.size());
  ENM_ASSIGN_OR_RETURN(const HttpAnswer answer, client_.send(request));
  return take_range(answer, request.url, file.size, offset, out);
}

}  // namespace enm::net
