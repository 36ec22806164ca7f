#include "enm/net/publish.h"

#include <charconv>
#include <set>

#include "enm/base/os_file.h"
#include "enm/distribution/base64.h"
#include "enm/distribution/signature.h"
#include "enm/net/http_source.h"

namespace enm::net {
namespace {

using distribution::Artifact;
using distribution::Manifest;
using distribution::SignedManifest;

constexpr uint64_t kPartSize = 4 << 20;
constexpr int kMaxRestarts = 3;  // of one upload that expired, or was damaged on its way

struct Upload {
  std::string path;  // "" if the blob is there
  uint64_t offset = 0;
};

Result<uint64_t> number(const std::string& text, std::string_view what) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Corrupt(what, ": expected a number, got ", enm::quoted(text));
  }
  return value;
}

class Publisher {
 public:
  Publisher(HttpClient& client, std::string_view registry, uint64_t total,
            const PublishOptions& options)
      : client_(client), registry_(without_slash(registry)), options_(options), total_(total) {}

  Status send_file(const std::string& folder, const Artifact& artifact) {
    ENM_ASSIGN_OR_RETURN(const File file, File::open_read(cat(folder, "/", artifact.filename)));
    for (int restarts = 0;; ++restarts) {
      ENM_ASSIGN_OR_RETURN(Upload upload, begin(artifact));
      const Status status = upload.path.empty() ? Status() : send_parts(file, artifact, upload);
      const bool lost = status.code() == Code::kNotFound || status.code() == Code::kCorrupt;
      if (lost && restarts < kMaxRestarts) continue;
      ENM_RETURN_IF_ERROR(status);
      before_ += artifact.digest.size;
      report(0);
      return Status();
    }
  }

  Result<Published> finish(const Manifest& manifest, const std::string& body) {
    HttpRequest request;
    request.method = "PUT";
    request.url =
        cat(registry_, "/v1/models/", url_escape(manifest.id), "/", url_escape(manifest.version));
    request.headers = {"Content-Type: application/json"};
    request.body = as_bytes(body);
    ENM_ASSIGN_OR_RETURN(const HttpAnswer answer, send(request));
    if (answer.status != 200 && answer.status != 201) return error_of(answer, registry_);
    return Published{answer.status == 200, sent_};
  }

 private:
  // Statuses that may pass are tried again; others are answers.
  Result<HttpAnswer> send(const HttpRequest& request) {
    HttpAnswer answer;
    ENM_RETURN_IF_ERROR(distribution::retry(options_.retry, options_.stop, [&]() -> Status {
      ENM_ASSIGN_OR_RETURN(answer, client_.send(request));
      const Status status = answer.status >= 400 ? error_of(answer, registry_) : Status();
      return status.code() == Code::kUnavailable ? status : Status();
    }));
    return answer;
  }

  Result<Upload> begin(const Artifact& artifact) {
    const std::string body = cat("{\"sha256\":\"", distribution::to_hex(artifact.digest.sha256),
                                 "\",\"size\":", artifact.digest.size, "}");
    HttpRequest request;
    request.method = "POST";
    request.url = registry_ + "/v1/uploads";
    request.headers = {"Content-Type: application/json"};
    request.body = as_bytes(body);
    ENM_ASSIGN_OR_RETURN(const HttpAnswer answer, send(request));
    ENM_ASSIGN_OR_RETURN(const Json json, json_of(answer, cat(registry_, ": ", artifact.filename)));
    ENM_ASSIGN_OR_RETURN(const bool complete, json.get_bool("complete"));
    if (complete) return Upload{};
    ENM_ASSIGN_OR_RETURN(const std::string id, json.get_string("uploadId"));
    ENM_ASSIGN_OR_RETURN(const int64_t offset, json.get_int("offset"));
    return Upload{"/v1/uploads/" + url_escape(id),
                  static_cast<uint64_t>(std::max<int64_t>(offset, 0))};
  }

  Status send_parts(const File& file, const Artifact& artifact, Upload& upload) {
    std::vector<uint8_t> buffer(std::min(kPartSize, artifact.digest.size));
    int stuck = 0;  // parts in a row of which nothing was taken
    while (upload.offset < artifact.digest.size || artifact.digest.size == 0) {
      if (options_.stop && options_.stop()) return Cancelled("interrupted");
      const uint64_t size = std::min<uint64_t>(buffer.size(), artifact.digest.size - upload.offset);
      const MutableBytes part(buffer.data(), size);
      ENM_ASSIGN_OR_RETURN(const size_t got, file.read_at(upload.offset, part));
      if (got != size) return Corrupt(file.path(), " became shorter while it was published");
      ENM_ASSIGN_OR_RETURN(const uint64_t next, send_part(part, upload, artifact));
      stuck = next > upload.offset ? 0 : stuck + 1;
      if (stuck > options_.retry.retries) {
        return Unavailable(registry_, ": takes no bytes of ", artifact.filename);
      }
      if (next > upload.offset) sent_ += next - upload.offset;
      upload.offset = next;
      report(next);
      if (artifact.digest.size == 0) break;
    }
    return Status();
  }

  // The offset at which the registry wants to go on.
  Result<uint64_t> send_part(Bytes part, const Upload& upload, const Artifact& artifact) {
    HttpRequest request;
    request.method = "PATCH";
    request.url = registry_ + upload.path;
    request.headers = {cat("Upload-Offset: ", upload.offset),
                       "Content-Type: application/offset+octet-stream"};
    request.body = part;
    ENM_ASSIGN_OR_RETURN(const HttpAnswer answer, send(request));
    const std::string& offset = answer.header("upload-offset");
    const bool go_on = answer.status == 204 || (answer.status == 409 && !offset.empty());
    if (!go_on) return error_of(answer, cat(registry_, ": ", artifact.filename));
    ENM_ASSIGN_OR_RETURN(const uint64_t next, number(offset, "Upload-Offset"));
    if (next > artifact.digest.size) return Corrupt(registry_, ": wants offset ", next);
    return next;
  }

  void report(uint64_t offset) const {
    if (options_.report) options_.report(before_ + offset, total_, sent_);
  }

  HttpClient& client_;
  const std::string registry_;
  const PublishOptions& options_;
  const uint64_t total_;
  uint64_t before_ = 0;
  uint64_t sent_ = 0;
};

std::string publish_body(const SignedManifest& bytes, const distribution::Signature& signature,
                         const distribution::PublicKey& key) {
  return cat("{\"manifest\":\"", distribution::to_base64(as_bytes(bytes.manifest)),
             "\",\"publicKey\":\"", distribution::to_base64(key.bytes),
             "\",\"signature\":", signature.to_json(), "}");
}

}  // namespace

Result<Published> publish(HttpClient& client, std::string_view registry, const std::string& folder,
                          const SignedManifest& signed_manifest, const distribution::PublicKey& key,
                          const PublishOptions& options) {
  ENM_ASSIGN_OR_RETURN(const Manifest manifest,
                       distribution::parse_manifest(signed_manifest.manifest));
  ENM_ASSIGN_OR_RETURN(const auto signature,
                       distribution::parse_signature(signed_manifest.signature));
  Publisher publisher(client, registry, manifest.total_size(), options);
  std::set<distribution::Digest> sent;
  for (const Artifact& artifact : manifest.artifacts) {
    if (!sent.insert(artifact.digest.sha256).second) continue;
    ENM_RETURN_IF_ERROR(publisher.send_file(folder, artifact));
  }
  return publisher.finish(manifest, publish_body(signed_manifest, signature, key));
}

}  // namespace enm::net
