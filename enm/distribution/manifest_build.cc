#include "enm/distribution/manifest_build.h"

#include <algorithm>
#include <filesystem>

#include "enm/distribution/canonical.h"
#include "enm/distribution/manifest.h"

namespace enm::distribution {
namespace {

constexpr std::string_view kSchema = "https://edge-net.ruvector.dev/schemas/model-manifest-v1.json";

/// The roles that the manifest names by themselves; any other file goes by its own name.
std::string artifact_name(const std::string& filename) {
  if (filename == "model.onnx") return "model";
  if (filename == "tokenizer.json") return "tokenizer";
  if (filename == "config.json") return "config";
  return filename;
}

Json artifact_json(const std::string& filename, const FileDigest& digest) {
  std::vector<Json> chunks;
  chunks.reserve(digest.chunks.size());
  for (const Digest& chunk : digest.chunks) chunks.emplace_back(to_hex(chunk));
  std::vector<Json::Member> members;
  members.emplace_back("filename", Json(filename));
  members.emplace_back("size", Json(static_cast<int64_t>(digest.size)));
  members.emplace_back("sha256", Json(to_hex(digest.sha256)));
  members.emplace_back("cid", Json(cid(digest.size, digest.chunks)));
  members.emplace_back("merkleRoot", Json(to_hex(merkle_root(digest.chunks))));
  members.emplace_back("chunks", Json(std::move(chunks)));
  return Json(std::move(members));
}

Json integrity_json() {
  std::vector<Json::Member> members;
  members.emplace_back("hash", Json(std::string("sha256")));
  members.emplace_back("chunkSize", Json(static_cast<int64_t>(kChunkSize)));
  members.emplace_back("merkleTree", Json(std::string("rfc6962")));
  members.emplace_back("cidProfile", Json(std::string("unixfs-v1-256k-174-raw")));
  return Json(std::move(members));
}

}  // namespace

Result<std::vector<std::string>> list_model_files(const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<std::string> names;
  std::error_code error;
  fs::recursive_directory_iterator files(folder, error);
  for (; !error && files != fs::recursive_directory_iterator(); files.increment(error)) {
    if (files->path().filename().string().starts_with('.')) {
      files.disable_recursion_pending();
      continue;
    }
    if (!files->is_regular_file(error)) continue;
    names.push_back(files->path().lexically_relative(folder).generic_string());
  }
  if (error) return IoError("cannot list ", folder, ": ", error.message());
  std::erase(names, kManifestFile);
  std::erase(names, kSignatureFile);
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::string> build_manifest(const std::string& folder,
                                   const std::vector<std::string>& filenames,
                                   const ManifestFields& fields) {
  std::vector<std::pair<std::string, FileDigest>> files;
  for (const std::string& filename : filenames) {
    ENM_ASSIGN_OR_RETURN(FileDigest digest, hash_file(cat(folder, "/", filename)));
    files.emplace_back(filename, std::move(digest));
  }
  return build_manifest(files, fields);
}

Result<std::string> build_manifest(const std::vector<std::pair<std::string, FileDigest>>& files,
                                   const ManifestFields& fields) {
  std::vector<Json::Member> artifacts;
  for (const auto& [filename, digest] : files) {
    artifacts.emplace_back(artifact_name(filename), artifact_json(filename, digest));
  }
  std::vector<Json::Member> members = fields.extra;
  members.emplace_back("$schema", Json(std::string(kSchema)));
  members.emplace_back("id", Json(fields.id));
  members.emplace_back("name", Json(fields.name.empty() ? fields.id : fields.name));
  members.emplace_back("version", Json(fields.version));
  members.emplace_back("type", Json(fields.type));
  if (!fields.family.empty()) members.emplace_back("family", Json(fields.family));
  members.emplace_back("integrity", integrity_json());
  members.emplace_back("artifacts", Json(std::move(artifacts)));
  Result<std::string> bytes = canonical(Json(std::move(members)));
  if (!bytes.ok()) return bytes.status().in("[manifest]");
  // What is built is what will be accepted: names, limits and trees are checked in one place.
  if (const Result<Manifest> manifest = parse_manifest(*bytes); !manifest.ok()) {
    return InvalidArgument(manifest.status().message());
  }
  return bytes;
}

}  // namespace enm::distribution
