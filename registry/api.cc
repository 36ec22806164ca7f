#include "registry/api.h"

#include <algorithm>
#include <charconv>

#include "enm/base/file_posix.h"
#include "enm/distribution/integrity.h"
#include "registry/conditional.h"
#include "registry/openapi.h"
#include "registry/publish_request.h"

namespace enm::registry {
namespace {

constexpr uint64_t kMaxPublishBytes = 24 << 20;
constexpr uint64_t kMaxSmallBody = 64 << 10;
constexpr int64_t kMaxPage = 200;
constexpr int64_t kDefaultPage = 50;

bool is_read(const Request& request) { return request.method == "GET" || request.method == "HEAD"; }

Reply not_allowed(std::string_view method, std::string_view allowed) {
  Reply reply = problem(405, "method_not_allowed",
                        cat("got ", quoted(method), "; expected one of ", allowed));
  reply.headers.emplace_back("Allow", allowed);
  return reply;
}

Reply no_such_path() {
  return problem(404, "not_found", "nothing is here; GET /v1/openapi.json says what there is");
}

Json model_json(const ModelRow& row) {
  Members members = {{"id", text(row.id)}, {"name", text(row.name)}, {"type", text(row.type)}};
  if (!row.quantization.empty()) members.emplace_back("quantization", text(row.quantization));
  members.emplace_back("size", number(row.size));
  members.emplace_back("version", text(row.version));
  return Json(std::move(members));
}

Reply empty_reply(unsigned status, uint64_t offset) {
  Reply reply;
  reply.status = status;
  reply.headers = {{"Upload-Offset", cat(offset)}, {"Cache-Control", "no-store"}};
  return reply;
}

Reply upload_problem(const Status& status) {
  if (status.code() == Code::kNotFound) return problem(404, "no_such_upload", status.message());
  return problem(status);
}

std::string_view media_type(std::string_view path) {
  const std::string_view extension = path.substr(std::min(path.rfind('.'), path.size()));
  if (extension == ".html") return "text/html; charset=utf-8";
  if (extension == ".js" || extension == ".mjs") return "text/javascript; charset=utf-8";
  if (extension == ".css") return "text/css; charset=utf-8";
  if (extension == ".wasm") return "application/wasm";
  if (extension == ".json") return "application/json";
  if (extension == ".svg") return "image/svg+xml";
  if (extension == ".png") return "image/png";
  return "application/octet-stream";
}

}  // namespace

Api::Api(const std::string& data, ApiOptions options, std::unique_ptr<Catalog> catalog)
    : options_(std::move(options)),
      blobs_(data),
      uploads_(data, blobs_, options_.limits),
      catalog_(std::move(catalog)) {}

Result<std::unique_ptr<Api>> Api::open(const std::string& data, ApiOptions options) {
  ENM_RETURN_IF_ERROR(make_folders(data + "/blobs"));
  ENM_RETURN_IF_ERROR(make_folders(data + "/uploads"));
  ENM_ASSIGN_OR_RETURN(auto catalog, Catalog::open(data + "/catalog.sqlite"));
  return std::unique_ptr<Api>(new Api(data, std::move(options), std::move(catalog)));
}

uint64_t Api::body_limit(std::string_view method, std::string_view target) const {
  return method == "PUT" && target.starts_with("/v1/models/") ? kMaxPublishBytes : kMaxSmallBody;
}

bool Api::is_part(std::string_view method, std::string_view target) {
  return method == "PATCH" && target.starts_with("/v1/uploads/");
}

Reply Api::handle(const Request& request) {
  const auto target = parse_target(request.target);
  if (!target.ok()) return problem(target.status());
  return route(request, *target);
}

Reply Api::route(const Request& request, const Target& target) {
  const auto& segments = target.segments;
  if (segments[0] != "v1") {
    return is_read(request) ? page(request, target) : not_allowed(request.method, "GET, HEAD");
  }
  if (segments.size() == 2 && segments[1] == "openapi.json") {
    Reply reply;
    reply.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-cache"}};
    reply.body = kOpenApi;
    return reply;
  }
  if (segments.size() > 1 && segments[1] == "models") return route_model(request, target);
  if (segments.size() > 1 && segments[1] == "uploads") return route_upload(request, target);
  if (segments.size() == 3 && segments[1] == "blobs") {
    return is_read(request) ? blob(request, segments[2]) : not_allowed(request.method, "GET, HEAD");
  }
  return no_such_path();
}

Reply Api::route_model(const Request& request, const Target& target) {
  const auto& segments = target.segments;
  if (segments.size() == 4 && request.method == "PUT") {
    return publish(request, segments[2], segments[3]);
  }
  if (!is_read(request)) return not_allowed(request.method, "GET, HEAD, PUT");
  if (segments.size() == 2) return list(target);
  if (segments.size() == 3) return manifest(request, segments[2], target);
  if (segments.size() != 4) return no_such_path();
  if (segments[3] == "signature") return signature(segments[2], target);
  if (segments[3] == "versions") return versions(segments[2]);
  if (segments[3] == "download") return download(segments[2], target);
  return no_such_path();
}

Reply Api::route_upload(const Request& request, const Target& target) {
  const auto& segments = target.segments;
  if (segments.size() == 2) {
    return request.method == "POST" ? begin_upload(request) : not_allowed(request.method, "POST");
  }
  if (segments.size() != 3) return no_such_path();
  if (is_read(request)) {
    const auto offset = uploads_.offset(segments[2]);
    return offset.ok() ? empty_reply(200, *offset) : upload_problem(offset.status());
  }
  if (request.method == "DELETE") {
    const Status status = uploads_.remove(segments[2]);
    return status.ok() ? empty_reply(204, 0) : upload_problem(status);
  }
  return not_allowed(request.method, "GET, HEAD, PATCH, DELETE");
}

Reply Api::list(const Target& target) {
  ModelQuery query;
  query.limit = kDefaultPage;
  const std::pair<const char*, std::string*> words[] = {{"type", &query.type},
                                                        {"quantization", &query.quantization},
                                                        {"family", &query.family},
                                                        {"q", &query.text},
                                                        {"cursor", &query.after}};
  std::string next = "/v1/models?";
  for (const auto& [name, value] : words) {
    auto word = target.words(name);
    if (!word.ok()) return problem(word.status());
    *value = *std::move(word);
    if (!value->empty() && std::string_view(name) != "cursor") {
      append(next, cat(name, "=", percent_encode(*value), "&"));
    }
  }
  const auto limit = target.parameter("limit");
  if (!limit.ok()) return problem(limit.status());
  if (!limit->empty()) {
    const auto [end, error] =
        std::from_chars(limit->data(), limit->data() + limit->size(), query.limit);
    if (error != std::errc() || end != limit->data() + limit->size() || query.limit < 1 ||
        query.limit > kMaxPage) {
      return problem(400, "bad_request",
                     cat("limit: got ", quoted(*limit), ", expected 1 to ", kMaxPage));
    }
  }
  const int64_t page_size = query.limit++;  // one more tells whether there is a next page
  auto rows = catalog_->list(query);
  if (!rows.ok()) return problem(rows.status());
  const bool more = static_cast<int64_t>(rows->size()) > page_size;
  if (more) rows->pop_back();
  std::vector<Json> items;
  for (const ModelRow& row : *rows) items.push_back(model_json(row));
  Reply reply = json_reply(200, Json(std::move(items)));
  if (more) {
    append(next, cat("limit=", page_size, "&cursor=", percent_encode(rows->back().id)));
    reply.headers.emplace_back("Link", cat("<", next, ">; rel=\"next\""));
  }
  return reply;
}

Reply Api::manifest(const Request& request, const std::string& id, const Target& target) {
  const auto version = target.parameter("version");
  if (!version.ok()) return problem(version.status());
  auto stored = catalog_->manifest(id, *version);
  if (!stored.ok()) return problem(stored.status());
  const std::string etag = cat("\"", stored->sha256, "\"");
  Reply reply;
  reply.headers = {
      {"Content-Type", "application/json"},
      {"ETag", etag},
      {"X-Model-Version", stored->version},
      {"X-Model-Checksum", stored->sha256},
      {"Cache-Control", version->empty() ? "no-cache" : "public, max-age=31536000, immutable"}};
  if (names_etag(request.header("If-None-Match"), etag)) {
    reply.status = 304;
  } else {
    reply.body = std::move(stored->bytes.manifest);
  }
  return reply;
}

Reply Api::signature(const std::string& id, const Target& target) {
  const auto version = target.parameter("version");
  if (!version.ok()) return problem(version.status());
  auto stored = catalog_->manifest(id, *version);
  if (!stored.ok()) return problem(stored.status());
  Reply reply;
  reply.headers = {{"Content-Type", "application/json"},
                   {"X-Model-Version", stored->version},
                   {"Cache-Control", "no-cache"}};
  reply.body = std::move(stored->bytes.signature);
  return reply;
}

Reply Api::versions(const std::string& id) {
  const auto rows = catalog_->versions(id);
  if (!rows.ok()) return problem(rows.status());
  std::vector<Json> items;
  for (const VersionRow& row : *rows) {
    items.emplace_back(Members{{"keyId", text(row.key_id)},
                               {"publishedAt", text(iso_time(row.published_at))},
                               {"size", number(row.size)},
                               {"version", text(row.version)}});
  }
  return json_reply(200, Json(std::move(items)));
}

Reply Api::download(const std::string& id, const Target& target) {
  const auto version = target.parameter("version");
  const auto source = target.parameter("source");
  if (!version.ok()) return problem(version.status());
  if (!source.ok()) return problem(source.status());
  if (!source->empty() && *source != "http") {
    return problem(400, "bad_request",
                   cat("source: got ", quoted(*source), "; this registry has http"));
  }
  const auto stored = catalog_->manifest(id, *version);
  if (!stored.ok()) return problem(stored.status());
  const auto manifest = distribution::parse_manifest(stored->bytes.manifest);
  if (!manifest.ok()) return problem(manifest.status());
  Members urls;
  for (const auto& artifact : manifest->artifacts) {
    urls.emplace_back(artifact.name,
                      text(cat("/v1/blobs/", distribution::to_hex(artifact.digest.sha256))));
  }
  urls.emplace_back("signature", text(cat("/v1/models/", percent_encode(id),
                                          "/signature?version=", percent_encode(stored->version))));
  return json_reply(200, Json(std::move(urls)));
}

Reply Api::blob(const Request& request, const std::string& sha256) {
  auto file = blobs_.open(sha256);
  if (!file.ok()) {
    return file.status().code() == Code::kNotFound
               ? problem(404, "not_found", cat("no blob ", quoted(sha256)))
               : problem(file.status());
  }
  return file_reply(request, *std::move(file), cat("\"", sha256, "\""),
                    {{"Content-Type", "application/octet-stream"},
                     {"X-Model-Checksum", sha256},
                     {"Cache-Control", "public, max-age=31536000, immutable"}});
}

Reply Api::publish(const Request& request, const std::string& id, const std::string& version) {
  const auto read = read_publish_request(request.body);
  if (!read.ok()) {
    const bool signature = read.status().code() == Code::kUntrusted;
    return problem(422, signature ? "bad_signature" : "bad_manifest", read.status().message());
  }
  if (read->manifest.id != id || read->manifest.version != version) {
    return problem(422, "bad_manifest",
                   cat("the manifest is of ", read->manifest.id, "@", read->manifest.version,
                       ", the path of ", id, "@", version));
  }
  const auto done = catalog_->publish(read->manifest, read->bytes, read->key, blobs_);
  if (!done.ok()) return problem(done.status());
  switch (done->outcome) {
    case Publication::Outcome::kNotOwner:
      return problem(403, "not_owner", cat(quoted(id), " belongs to another key"));
    case Publication::Outcome::kVersionExists:
      return problem(
          409, "version_exists",
          cat(id, "@", version, " is published with other bytes; versions never change"));
    case Publication::Outcome::kMissingBlobs: {
      std::vector<Json> missing;
      for (const std::string& sha256 : done->missing) missing.push_back(text(sha256));
      return problem(409, "missing_blobs", cat(done->missing.size(), " files were not uploaded"),
                     {{"missing", Json(std::move(missing))}});
    }
    case Publication::Outcome::kPublished:
    case Publication::Outcome::kExisted:
      break;
  }
  const bool existed = done->outcome == Publication::Outcome::kExisted;
  return json_reply(existed ? 200 : 201, Json(Members{{"id", text(id)},
                                                      {"keyId", text(read->key.key_id)},
                                                      {"sha256", text(done->sha256)},
                                                      {"version", text(version)}}));
}

Reply Api::begin_upload(const Request& request) {
  const auto asked = read_upload_request(request.body);
  if (!asked.ok()) return problem(400, "bad_request", asked.status().message());
  if (asked->size > options_.limits.max_blob_size) {
    return problem(413, "too_large",
                   cat("a file of ", asked->size, " bytes; at most ", options_.limits.max_blob_size,
                       " are taken here"));
  }
  const auto complete = [&] {
    return json_reply(200, Json(Members{{"complete", Json(true)},
                                        {"offset", number(asked->size)},
                                        {"size", number(asked->size)}}));
  };
  const auto there = blobs_.refresh(asked->sha256);
  if (there.ok() && *there == asked->size) return complete();
  auto begun = uploads_.begin(asked->sha256, asked->size);
  if (!begun.ok()) return problem(begun.status());
  if (begun->offset >= asked->size) {
    // Nothing more will come: it is empty, or the server was killed before it could hash it.
    auto writer = uploads_.writer(begun->id);
    if (!writer.ok()) return upload_problem(writer.status());
    Reply ended = end_part(**writer, Status());
    return ended.status == 204 ? complete() : std::move(ended);
  }
  const std::string location = cat("/v1/uploads/", begun->id);
  Reply reply = json_reply(begun->is_new ? 201 : 200,
                           Json(Members{{"complete", Json(false)},
                                        {"expiresAt", text(iso_time(begun->expires_at))},
                                        {"offset", number(begun->offset)},
                                        {"size", number(asked->size)},
                                        {"uploadId", text(begun->id)}}));
  if (begun->is_new) reply.headers.emplace_back("Location", location);
  return reply;
}

std::variant<Reply, std::shared_ptr<UploadWriter>> Api::begin_part(const Request& head) {
  const auto target = parse_target(head.target);
  if (!target.ok()) return problem(target.status());
  if (target->segments.size() != 3) return no_such_path();
  const std::string_view type = head.header("Content-Type");
  if (type != "application/offset+octet-stream") {
    return problem(
        415, "bad_request",
        cat("Content-Type: got ", quoted(type), ", expected application/offset+octet-stream"));
  }
  const std::string_view text = head.header("Upload-Offset");
  uint64_t offset = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return problem(400, "bad_request",
                   cat("Upload-Offset: got ", quoted(text), ", expected a number"));
  }
  const auto wrong_offset = [&](uint64_t there) -> Reply {
    Reply reply = problem(409, "wrong_offset", cat("got offset ", offset, "; go on at ", there));
    reply.headers.emplace_back("Upload-Offset", cat(there));
    return reply;
  };
  auto writer = uploads_.writer(target->segments[2]);
  if (writer.status().code() == Code::kConflict) {
    const auto there = uploads_.offset(target->segments[2]);
    return there.ok() ? wrong_offset(*there) : upload_problem(there.status());
  }
  if (!writer.ok()) return upload_problem(writer.status());
  if ((*writer)->offset() != offset) return wrong_offset((*writer)->offset());
  return *std::move(writer);
}

Reply Api::end_part(UploadWriter& writer, const Status& written) {
  if (written.code() == Code::kInvalidArgument) {
    return problem(413, "too_large", written.message());
  }
  if (!written.ok()) return problem(written);
  if (!writer.is_full()) return empty_reply(204, writer.offset());
  const Status status = writer.finish();
  if (status.code() == Code::kCorrupt) return problem(422, "wrong_hash", status.message());
  return status.ok() ? empty_reply(204, writer.size()) : problem(status);
}

Reply Api::page(const Request& request, const Target& target) {
  if (options_.pages.empty()) return no_such_path();
  std::string name = join(target.segments, "/");
  if (name.empty() || name.ends_with('/')) name += "index.html";
  const DirectoryFiles files(options_.pages);
  if (!files.contains(name)) return no_such_path();
  const auto bytes = files.open(name);
  if (!bytes.ok()) return no_such_path();
  const std::string etag =
      cat("\"", distribution::to_hex(distribution::sha256(bytes->bytes())), "\"");
  Reply reply;
  // Isolation, so that the page may share memory between its threads.
  reply.headers = {{"Content-Type", std::string(media_type(name))},
                   {"Cache-Control", "no-cache"},
                   {"ETag", etag},
                   {"Cross-Origin-Opener-Policy", "same-origin"},
                   {"Cross-Origin-Embedder-Policy", "require-corp"}};
  if (names_etag(request.header("If-None-Match"), etag)) {
    reply.status = 304;
  } else {
    reply.body = as_text(bytes->bytes());
  }
  return reply;
}

void Api::sweep() {
  const int64_t cutoff = now_seconds() - options_.limits.expiry_seconds;
  uploads_.sweep(cutoff);
  for (const std::string& sha256 : blobs_.older_than(cutoff)) {
    const auto used = catalog_->references(sha256);
    if (used.ok() && !*used) blobs_.remove_if_older(sha256, cutoff);
  }
}

}  // namespace enm::registry
