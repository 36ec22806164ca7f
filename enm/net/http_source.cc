#include "enm/net/http_source.h"

namespace enm::net {

using distribution::Artifact;
using distribution::Manifest;
using distribution::ModelRef;
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

Status HttpSource::read(const Manifest&, const Artifact& file, uint64_t offset, MutableBytes out) {
  if (out.empty()) return Status();
  const uint64_t last = offset + out.size() - 1;
  HttpRequest request;
  request.url = cat(registry_, "/v1/blobs/", distribution::to_hex(file.digest.sha256));
  request.headers = {cat("Range: bytes=", offset, "-", last)};
  request.max_answer = out.size();
  ENM_ASSIGN_OR_RETURN(const HttpAnswer answer, client_.send(request));
  if (answer.status >= 400) return error_of(answer, request.url);
  const bool whole = answer.status == 200 && offset == 0 && out.size() == file.digest.size;
  const std::string range = cat("bytes ", offset, "-", last, "/", file.digest.size);
  if (!whole && (answer.status != 206 || answer.header("content-range") != range)) {
    return Unavailable(request.url, ": asked for ", range, "; got HTTP status ", answer.status,
                       " and Content-Range ", enm::quoted(answer.header("content-range")));
  }
  if (answer.body.size() != out.size()) {
    return Unavailable(request.url, ": got ", answer.body.size(), " bytes of ", out.size());
  }
  std::copy(answer.body.begin(), answer.body.end(), out.begin());
  return Status();
}

}  // namespace enm::net
