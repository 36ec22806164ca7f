#include "enm/distribution/folder_source.h"

#include <algorithm>
#include <filesystem>

#include "enm/base/file_posix.h"

namespace enm::distribution {

namespace fs = std::filesystem;

std::vector<std::string> list_versions(const std::string& root, std::string_view id) {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fs::path(root) / id, error)) {
    const std::string version = entry.path().filename().string();
    if (check_version(version).ok() && fs::exists(entry.path() / kManifestFile, error)) {
      out.push_back(version);
    }
  }
  std::sort(out.begin(), out.end(),
            [](const std::string& a, const std::string& b) { return compare_versions(a, b) > 0; });
  return out;
}

Result<SignedManifest> FolderSource::manifest(const ModelRef& ref) {
  ENM_RETURN_IF_ERROR(check_model_id(ref.id));
  std::string version = ref.version;
  if (version.empty()) {
    const auto versions = list_versions(root_, ref.id);
    if (versions.empty()) return NotFound("no model ", enm::quoted(ref.id), " in ", root_);
    version = versions.front();
  }
  ENM_RETURN_IF_ERROR(check_version(version));
  const std::string folder = cat(root_, "/", ref.id, "/", version);
  ENM_ASSIGN_OR_RETURN(const auto manifest,
                       read_file(cat(folder, "/", kManifestFile), kMaxManifestBytes));
  SignedManifest out{std::string(as_text(manifest)), ""};
  const auto signature = read_file(cat(folder, "/", kSignatureFile), kMaxSignatureBytes);
  if (signature.ok()) out.signature = as_text(*signature);
  if (!signature.ok() && signature.status().code() != Code::kNotFound) return signature.status();
  return out;
}

Status FolderSource::read(const RemoteFile& file, uint64_t offset, MutableBytes out) {
  return DirectoryFiles(root_).read(file.path, offset, out);
}

RemoteFile remote_file(const Manifest& model, const Artifact& artifact) {
  return {artifact.filename,
          cat(model.id, "/", model.version, "/", artifact.filename),
          artifact.digest.size,
          {.hex = to_hex(artifact.digest.sha256)},
          artifact.digest.chunks};
}

}  // namespace enm::distribution
